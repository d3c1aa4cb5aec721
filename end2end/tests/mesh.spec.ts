// The mesh and the sources: reached by keyboard, whole without a script, and a workload's notes open where they lie.
import { expect, test } from "../fixtures/console.ts";

test("the mesh says how far its proxies are, and what each gap leaves unknown", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit("/mesh");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("proxies");
  await expect(page.getByRole("region", { name: "Proxies" }).getByRole("row").nth(1)).toContainText("/");
  await expect(page.getByRole("region", { name: "Control planes" })).toContainText("default");
  await page.getByRole("region", { name: "What is not known" }).getByRole("link").first().click();
  await expect(page).toHaveURL(/\/checklist\/\d\.\d$/);
});

test("it is reached by the keyboard, and a workload's notes open", async ({ page, visit }) => {
  await visit("/");
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await expect(page).toHaveURL(/\/mesh$/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
  const summary = page.locator(".outlook summary").first();
  await summary.focus();
  const details = page.locator(".outlook details").first();
  const before = await details.getAttribute("open");
  await page.keyboard.press("Enter");
  expect((await details.getAttribute("open")) === null).toBe(before !== null);
});

for (const theme of ["light", "dark"] as const) {
  test(`the mesh is accessible (${theme})`, async ({ page, visit, a11y }) => {
    await page.emulateMedia({ colorScheme: theme });
    await visit("/mesh");
    await a11y.check();
  });
}

// The checklist: from the list to an item and back, by keyboard, and what follows from an object that changes.
import { expect, test } from "../fixtures/console.ts";

test("an item says when it is met, what is wrong and where, and leads to its neighbours", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit("/checklist");
  await expect(page.locator("section.card > header h2")).toHaveCount(4);
  await expect(page.locator(".item")).toHaveCount(16);
  await page.locator('.item[href="/checklist/1.2"]').click();
  await expect(page).toHaveURL(/\/checklist\/1\.2$/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1.2");
  await page.getByRole("link", { name: "1.3" }).click();
  await expect(page).toHaveURL(/\/checklist\/1\.3$/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1.3");
});

test("an item is reached and left by the keyboard alone", async ({ page, visit }) => {
  await visit("/");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page).toHaveURL(/\/checklist$/);
  const first = page.locator(".item").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/checklist\/1\.1$/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

for (const theme of ["light", "dark"] as const) {
  test(`an item is accessible (${theme})`, async ({ page, visit, a11y }) => {
    await page.emulateMedia({ colorScheme: theme });
    await visit("/checklist/1.2");
    await a11y.check();
  });
}

test.describe("what is no item", () => {
  test.use({ tolerated: /404/ });
  test("is not found, and says so", async ({ page }) => {
    await page.goto("/checklist/9.9");
    await expect(page.getByRole("alert")).toBeVisible();
  });
});

// Everything is stopped from the top bar, is said on every page, and goes on.
import { expect, test } from "../fixtures/console.ts";

test.use({ world: "own" });

test("everything stands still from a page, and on every page, until it is lifted", async ({ page, visit, a11y }) => {
  await visit("/");
  const banner = page.locator(".standstill");
  await expect(banner).toHaveCount(0);
  await page.getByRole("button", { name: "Stop everything…" }).click();
  const dialog = page.getByRole("dialog", { name: "Stop everything?" });
  const stop = dialog.getByRole("button", { name: "Stop everything", exact: true });
  await expect(stop).toBeDisabled();
  await dialog.getByLabel("Reason, on every page").fill("errors since noon");
  await a11y.check();
  await stop.click();
  await expect(dialog).toBeHidden();
  await expect(banner).toContainText("Frozen by operator");
  await expect(banner).toContainText("errors since noon");
  await a11y.check();
  // It stays while pages change in the browser, and comes with a page from the server.
  await page.locator(".rail").getByRole("link", { name: "Canary" }).click();
  await expect(banner).toContainText("errors since noon");
  await page.goto("/changes");
  await expect(banner).toContainText("errors since noon");
  await expect(page.getByRole("button", { name: "Stop everything…" })).toHaveCount(0);
  await banner.getByRole("button", { name: "Let it go on…" }).click();
  await page.getByRole("dialog", { name: "Let everything go on?" }).getByRole("button", { name: "Let it go on", exact: true }).click();
  await expect(banner).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Stop everything…" })).toBeVisible();
});

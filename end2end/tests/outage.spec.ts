// The server goes away while somebody looks, and comes back as another process on the same address.
import { expect, test } from "../fixtures/console.ts";
import { start } from "../fixtures/server.ts";

// What the browser says about a server that is not there.
test.use({ world: "own", tolerated: /net::ERR_|Failed to load resource/ });

test("the page says so, and recovers without a reload", async ({ page, visit, server }) => {
  test.setTimeout(120_000);
  await visit("/topology");
  await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
  await server.kill();
  await expect(page.getByText("Interrupted", { exact: true })).toBeVisible({ timeout: 15_000 });
  await expect(page.getByText(/Connection to the server lost at/)).toBeVisible();
  await expect(page.getByRole("table").getByText("product-service").first()).toBeVisible();
  const again = await start(["rehearse"], Number(new URL(server.url).port));
  try {
    await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText(/Connection to the server lost at/)).toBeHidden();
    await expect(page.locator("body[data-not-reloaded]")).toBeAttached();
  } finally {
    await again.stop();
  }
});

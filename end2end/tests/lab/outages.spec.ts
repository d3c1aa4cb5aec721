// Each part killed and started again while somebody looks: stale within 15 s, recovered within 30 s, no reload, nothing written.
import { expect, labCommand, test } from "../../fixtures/console.ts";
import { accepted, auditEnd, component, failures, load, ours } from "../../fixtures/lab.ts";
import { start } from "../../fixtures/server.ts";

test.skip(!ours, "only the lab's own components may be killed");
test.describe.configure({ mode: "serial" });
// The browser notes a stream that breaks when the server it came from is slow to answer.
test.use({ tolerated: /net::ERR_|Failed to load resource/ });

const PATIENCE = { stale: 15_000, recovered: 30_000 };

for (const [name, source] of [["prometheus", "Prometheus"], ["apiserver", "Kubernetes"]] as const) {
  test(`${name} goes away and comes back`, async ({ page, visit }) => {
    const audit = await auditEnd();
    await visit("/");
    const state = page.getByRole("list", { name: "Sources" }).getByRole("listitem").filter({ hasText: source });
    await expect(state).toHaveClass(/ok/, { timeout: 60_000 });
    await component("kill", name);
    try {
      await expect(state).toHaveClass(/warn|bad/, { timeout: PATIENCE.stale });
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    } finally {
      await component("start", name);
    }
    await expect(state).toHaveClass(/ok/, { timeout: PATIENCE.recovered });
    expect(await accepted(audit), "nothing is written by an outage").toEqual([]);
  });
}

test("istiod goes away and comes back: traffic goes on, pages too", async ({ page, visit }) => {
  const before = await load();
  await visit("/topology");
  await component("kill", "istiod");
  try {
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  } finally {
    await component("start", "istiod");
  }
  expect(failures(await load()) - failures(before), "requests lost").toBe(0);
});

test("the console itself goes away and comes back as another process", async ({ page }) => {
  const audit = await auditEnd();
  const first = await start(labCommand());
  try {
    await page.goto(`${first.url}/topology?lang=en`);
    await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: PATIENCE.recovered });
    const called = page.getByRole("table").getByText("product-service").first();
    await expect(called).toBeVisible({ timeout: PATIENCE.recovered });
    await page.evaluate(() => document.body.setAttribute("data-not-reloaded", ""));
    await first.kill();
    await expect(page.getByText("Interrupted", { exact: true })).toBeVisible({ timeout: PATIENCE.stale });
    await expect(called, "what was known stays").toBeVisible();
  } finally {
    await first.stop();
  }
  const again = await start(labCommand(), Number(new URL(first.url).port));
  try {
    await expect(page.getByText("Live", { exact: true })).toBeVisible({ timeout: PATIENCE.recovered });
    await expect(page.locator("body[data-not-reloaded]")).toBeAttached();
  } finally {
    await again.stop();
  }
  expect(await accepted(audit), "nothing is written by an outage").toEqual([]);
});

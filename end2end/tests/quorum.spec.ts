// More than a quarter for a new version wants two people: one proposes, the other carries it out.
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "../fixtures/console.ts";

const FILE = join(tmpdir(), `naru-quorum-${process.pid}.yaml`);
writeFileSync(FILE, "apiVersion: naru.dev/v1alpha1\nkind: Migration\nmetadata: {name: buildingbite}\nspec: {system: Shop, quorumAbove: 25}\n");

test.use({ world: "own", rehearsed: `-f ${FILE}` });

const ROUTE = "/canary/user-service/user-service-canary";

test("who comes first proposes, who comes second carries it out", async ({ page, visit, a11y }) => {
  await visit(ROUTE);
  const sheet = page.getByRole("dialog");
  const number = page.getByRole("spinbutton", { name: "Weight of v2, in percent" });
  await number.fill("50");
  await number.press("Tab");
  await page.getByRole("button", { name: "See the plan" }).press("Enter");
  await expect(sheet).toContainText("More than 25 % for a new version want a second person.");
  await expect(sheet.getByRole("button", { name: "Apply" })).toHaveCount(0);
  await expect(sheet.getByRole("button", { name: "Propose it" })).toBeDisabled();
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("half, before the weekend");
  await a11y.check();
  await page.keyboard.press("Enter");
  await expect(sheet).toContainText("Nothing was changed.");
  await a11y.check();
  await page.keyboard.press("Escape");
  const waiting = page.locator("section.rule .notice").filter({ hasText: "half, before the weekend" });
  await expect(waiting).toContainText("v1 50 %, v2 50 %");
  // The same person finds it, and is still the first.
  await waiting.getByRole("button", { name: "See the plan" }).click();
  await expect(sheet.getByRole("button", { name: "Propose it" })).toBeVisible();
  await a11y.check();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 90 %, v2 10 %");

  await visit(`${ROUTE}?persona=service-team`);
  await waiting.getByRole("button", { name: "See the plan" }).press("Enter");
  await expect(sheet).toContainText(/proposed it at .* UTC: half, before the weekend/);
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("looked at the graphs");
  await sheet.getByRole("button", { name: "Apply" }).press("Enter");
  await expect(sheet.getByText("In the journal as")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 50 %, v2 50 %");
  await expect(waiting).toHaveCount(0);
});

test("a small step, and the way back, are one person's @phone", async ({ page, visit }) => {
  await visit(ROUTE);
  const sheet = page.getByRole("dialog");
  for (const [v2, all] of [["20", "v1 80 %, v2 20 %"], ["0", "v1 100 %, v2 0 %"]]) {
    const number = page.getByRole("spinbutton", { name: "Weight of v2, in percent" });
    await number.fill(v2);
    await number.press("Tab");
    await page.getByRole("button", { name: "See the plan" }).click();
    await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("small");
    await sheet.getByRole("button", { name: "Apply" }).click();
    await expect(sheet.getByText("In the journal as")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("heading", { level: 1 })).toContainText(all);
  }
});

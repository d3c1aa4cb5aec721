// Weights that Argo CD applies from a repository: handed over and watched for, or set here once they are left alone.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/console.ts";
import { Band, weigh } from "../fixtures/rehearsal.ts";

test.use({ world: "own", rehearsed: "--scenario argo-applies" });

const ROUTE = "/canary/user-service/user-service-canary";
const SOON = { timeout: 40_000 };

async function draft(page: Page, v2: number) {
  const number = page.getByRole("spinbutton", { name: "Weight of v2, in percent" });
  await number.fill(String(v2));
  await number.press("Tab");
  await page.getByRole("button", { name: "See the plan" }).press("Enter");
  return page.getByRole("dialog");
}

test("what a repository applies is planned for it, and watched for", async ({ page, visit, a11y }) => {
  await visit(ROUTE);
  const band = new Band(page);
  await expect(page.getByText("Written by Argo CD (argocd.argoproj.io/tracking-id)")).toBeVisible();
  await expect(page.getByText("The Application argocd/shop does not ignore these weights")).toBeVisible();
  // Steps would be taken back like everything else.
  await expect(page.getByRole("button", { name: "Let Naru take the steps" })).toHaveCount(0);
  const sheet = await draft(page, 50);
  await expect(sheet.getByRole("heading", { name: "Plan for Argo CD" })).toBeVisible();
  await expect(sheet).toContainText("nothing is written here");
  await expect(sheet).toContainText("Accepted as planned");
  await expect(sheet).toContainText('"value": 50');
  await expect(sheet.getByRole("button", { name: "Apply" })).toHaveCount(0);
  await a11y.check();
  await sheet.getByRole("button", { name: "Watch for it" }).press("Enter");
  await expect(sheet).toBeHidden();
  await expect(page.getByText("Handed over: v1 50 %, v2 50 %. In the cluster: v1 90 %, v2 10 %.")).toBeVisible();
  await a11y.check();
  await band.move(/^git commit/);
  await expect(page.getByText("What was handed over is in the cluster: v1 50 %, v2 50 %.")).toBeVisible(SOON);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 50 %, v2 50 %");
  await page.getByRole("button", { name: "Stop watching" }).click();
  await expect(page.getByText("What was handed over")).toHaveCount(0);
  await page.goto("/changes");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("No changes yet");
});

test("what is set by hand is healed, and what is left alone is set here", async ({ page, visit }) => {
  await visit(ROUTE);
  const band = new Band(page);
  const title = page.getByRole("heading", { level: 1 });
  await band.move(/weights: 50, 50$/);
  await expect(title).toContainText("v1 50 %, v2 50 %");
  await expect(title).toContainText("v1 90 %, v2 10 %", SOON);
  await band.move(/ignoreDifferences/);
  await expect(page.getByText("the sync option RespectIgnoreDifferences=true is missing")).toBeVisible();
  await band.move(/syncOptions/);
  await expect(page.getByText("so they are set here")).toBeVisible();
  const sheet = await draft(page, 40);
  await expect(sheet).toContainText("keeps the whole of spec.http as it is in the cluster");
  await page.keyboard.press("Escape");
  await weigh(page, 50, "left to us");
  await expect(title).toContainText("v1 50 %, v2 50 %");
});

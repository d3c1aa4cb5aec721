// A weight moved on the rehearsal: by slider, by number field, by keyboard alone; planned, applied, observed, undone.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/console.ts";
import { weigh } from "../fixtures/rehearsal.ts";
import { visitor } from "../fixtures/visit.ts";

test.use({ world: "own" });

const ROUTE = "/canary/user-service/user-service-canary";

function rule(page: Page) {
  return {
    slider: page.getByRole("slider", { name: "Weight of v2" }),
    number: page.getByRole("spinbutton", { name: "Weight of v2, in percent" }),
    other: page.getByRole("spinbutton", { name: "Weight of v1, in percent" }),
    plan: page.getByRole("button", { name: "See the plan" }),
    sheet: page.getByRole("dialog"),
  };
}

test("10 to 50 by keyboard alone, and back", async ({ page, visit, a11y }) => {
  await visit(ROUTE);
  const { slider, number, other, plan, sheet } = rule(page);
  await expect(plan).toBeDisabled();
  await slider.focus();
  for (let i = 0; i < 4; i++) await page.keyboard.press("PageUp");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await expect(number).toHaveValue("50");
  await expect(other).toHaveValue("50");
  await plan.focus();
  await page.keyboard.press("Enter");
  await expect(sheet).toContainText("Accepted as planned");
  await expect(sheet).toContainText("/spec/http/0/route/0/weight");
  await expect(sheet).toContainText(/About [\d.]+\/s of [\d.]+\/s take another way/);
  await a11y.check();
  // No reason, no change.
  await expect(sheet.getByRole("button", { name: "Apply" })).toBeDisabled();
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).focus();
  await page.keyboard.type("연습: half and half");
  await page.keyboard.press("Enter");
  await expect(sheet.getByText("In the journal as")).toBeVisible();
  // Accepted is one thing, and in force another: the rehearsed istiod takes up to a second.
  await expect(sheet.getByText(/All \d+ proxies that route by it have acknowledged it\. That took at most/)).toBeVisible();
  await a11y.check();
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 50 %, v2 50 %");
  await expect(page.locator("section.rule").getByText(/All \d+ proxies that route by it/)).toBeVisible();
  // Only samples after the change count, so this takes some scrapes.
  await expect(page.getByText(/Observed .* UTC, [\d,]+ requests/)).toBeVisible({ timeout: 40_000 });
  await page.goto("/changes");
  await expect(page.getByText("연습: half and half")).toBeVisible();
  await page.getByRole("button", { name: /^Undo weights-/ }).click();
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("back");
  await sheet.getByRole("button", { name: "Take it back" }).click();
  await expect(sheet.getByText("In the journal as")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText(/^Taken back by undo-/)).toBeVisible();
  await page.goto(ROUTE);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 90 %, v2 10 %");
});

test("nonsense in a number field does no harm", async ({ page, visit }) => {
  await visit(ROUTE);
  const { number, other, plan } = rule(page);
  for (const [typed, v2, v1] of [["250", "100", "0"], ["-5", "100", "0"], ["", "100", "0"], ["33", "33", "67"], ["10", "10", "90"]]) {
    await number.fill(typed);
    await number.blur();
    await expect(number).toHaveValue(v2);
    await expect(other).toHaveValue(v1);
  }
  await expect(plan).toBeDisabled();
});

test("all to the stable one is one press away", async ({ page, visit }) => {
  await visit(ROUTE);
  const { number, sheet, plan } = rule(page);
  await page.getByRole("button", { name: "100 % v1" }).click();
  await expect(number).toHaveValue("0");
  await plan.click();
  await expect(sheet).toContainText("Accepted as planned");
  await page.keyboard.press("Escape");
  await expect(sheet).toBeHidden();
  await expect(plan).toBeFocused();
});

test("a draft stays when somebody else sets the weights, and its plan starts from theirs", async ({ context, page, server, visit }) => {
  await visit(ROUTE);
  const { number, other, plan, sheet } = rule(page);
  await number.fill("30");
  await number.blur();
  // Half typed, too.
  await other.fill("6");
  const there = await context.newPage();
  await (await visitor(there, true))(`${server.url}${ROUTE}`);
  await weigh(there, 20, "meanwhile");
  await expect(page.getByText(/Your draft is kept/)).toBeVisible();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 80 %, v2 20 %");
  await expect(other).toHaveValue("6");
  await other.fill("60");
  await other.blur();
  await expect(number).toHaveValue("40");
  await plan.click();
  await expect(sheet).toContainText("Accepted as planned");
  await expect(sheet).toContainText("20");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Reset" }).click();
  await expect(number).toHaveValue("20");
  await expect(page.getByText(/Your draft is kept/)).toBeHidden();
});

// A canary that Naru takes through its steps, ordered and steered from the page: by keyboard, with the mouse, on a phone, in Korean.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/console.ts";
import { Band } from "../fixtures/rehearsal.ts";

test.use({ world: "own" });

const ROUTE = "/canary/user-service/user-service-canary";

function parts(page: Page) {
  return {
    start: page.getByRole("button", { name: "Let Naru take the steps" }),
    dialog: page.getByRole("dialog"),
    weights: page.getByRole("textbox", { name: /^Steps, in percent for v2/ }),
    heading: page.getByRole("heading", { level: 1 }),
    card: page.locator("section.order"),
  };
}

/** Lets minutes pass until the heading says so: how many it takes is the controller's matter. */
async function until(page: Page, band: Band, said: RegExp, minutes: number) {
  const { heading } = parts(page);
  const soon = () => expect(heading).toContainText(said, { timeout: 2_000 }).then(() => true, () => false);
  // The controller looks a moment after the minute has passed.
  for (let n = 0; n < minutes && !(await soon()); n++) await band.pass(1);
  await expect(heading).toContainText(said);
}

test("ordered, paused, let go on and promoted, by keyboard alone", async ({ page, visit, a11y }) => {
  test.setTimeout(180_000);
  await visit(ROUTE);
  const { start, dialog, weights, heading } = parts(page);
  const band = new Band(page);
  await band.pause();
  await start.focus();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeVisible();
  await expect(weights).toHaveValue("10 25 50 100");
  // What cannot be meant is said, and nothing can be sent.
  const confirm = dialog.getByRole("button", { name: "Start" });
  await weights.focus();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("50 25");
  await expect(dialog.getByRole("status")).toContainText("The steps must rise from at least 10");
  await expect(confirm).toBeDisabled();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("20 50");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("4");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("10");
  await expect(confirm).toBeEnabled();
  await a11y.check();
  await page.keyboard.press("Enter");
  await expect(dialog).toContainText("was created. Naru begins with its next look.");
  await expect(dialog.getByRole("button", { name: "Close" }).last()).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await until(page, band, /v2 at 20 %, next 50 %/, 6);
  await expect(start, "one at a time").toHaveCount(0);
  await a11y.check();

  const steer = async (verb: string) => {
    const button = page.getByRole("button", { name: verb, exact: true });
    await button.focus();
    await page.keyboard.press("Enter");
    await expect(dialog).toContainText("What will happen");
    await expect(dialog).toContainText("kubectl patch canaries.naru.dev");
    await dialog.getByRole("button", { name: verb, exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect(dialog).toContainText("The Canary says so now");
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
  };
  await steer("Pause");
  await until(page, band, /v2 paused at 20 %/, 3);
  await band.pass(3);
  await expect(heading, "paused is paused").toContainText("v2 paused at 20 %");
  await steer("Go on");
  await until(page, band, /v2 (at 50 %, the last step|holds at 50 %)/, 12);
  await steer("Promote");
  await until(page, band, /v2 has all requests, v1 is kept/, 4);
  await steer("Take back");
  await until(page, band, /v1 has all requests/, 6);
  await page.goto("/changes");
  await expect(page.getByRole("link", { name: /^canary-/ }).or(page.getByText(/canary-[0-9a-f]+-/)).first()).toBeVisible();
});

test("the mouse does the same, and whoever sets the weights by hand takes over", async ({ page, visit }) => {
  test.setTimeout(120_000);
  await visit(ROUTE);
  const { start, dialog, weights, heading } = parts(page);
  const band = new Band(page);
  await band.pause();
  await start.click();
  await weights.fill("30 100");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await expect(dialog).toBeHidden();
  // What was typed and given up is gone.
  await start.click();
  await expect(weights).toHaveValue("10 25 50 100");
  await weights.fill("30 100");
  await dialog.getByRole("button", { name: "Start" }).click();
  await expect(dialog).toContainText("was created");
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await until(page, band, /v2 at 30 %/, 6);
  await expect(page.getByText(/Whoever sets them here takes over/)).toBeVisible();
  const number = page.getByRole("spinbutton", { name: "Weight of v2, in percent" });
  await number.fill("5");
  await number.press("Tab");
  await page.getByRole("button", { name: "See the plan" }).click();
  await expect(dialog).toContainText("Setting them takes over");
  await dialog.getByRole("textbox", { name: "Reason, for the journal" }).fill("by hand");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(dialog.getByText("In the journal as")).toBeVisible();
  // Time stands still, and so does the push to the proxies.
  await expect(dialog.getByText(/0 of \d+ proxies that route by it have acknowledged it so far/)).toBeVisible();
  await page.keyboard.press("Escape");
  await band.pass(1);
  await expect(page.locator("section.rule").getByText(/All \d+ proxies that route by it have acknowledged it/)).toBeVisible();
  await until(page, band, /a person must look/, 3);
  await expect(heading).toContainText("Stopped with v2 at 5 %");
});

test("the form fits on a phone and speaks Korean @phone", async ({ page, visit, a11y }) => {
  await visit(`${ROUTE}?lang=ko`);
  await page.getByRole("button", { name: "나루에게 단계 진행 맡기기" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("textbox").first()).toHaveValue("10 25 50 100");
  await a11y.check();
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, "pixels that the page is wider than the screen").toBeLessThanOrEqual(0);
});

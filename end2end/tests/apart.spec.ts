// The guide's canary: a header rule and weights lead to the same pods, and it takes two steps to tell which request came by which.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/console.ts";
import { Band } from "../fixtures/rehearsal.ts";

test.use({ world: "own" });

const ROUTE = "/canary/user-service/user-service-canary";
const UNKNOWN = "Another rule sends requests to v2 as well, and which of them came by it is not told.";

/** Plans names for the rules with the keyboard alone, and applies them. */
async function name(page: Page) {
  await page.getByRole("button", { name: "Plan names for the rules of user-service/user-service-canary" }).press("Enter");
  const sheet = page.getByRole("dialog");
  await expect(sheet).toContainText("/spec/http/0/name");
  await expect(sheet).toContainText("user-service/user-service-canary/2");
  await expect(sheet).toContainText("Accepted as planned");
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("to be counted apart");
  await sheet.getByRole("button", { name: "Apply" }).press("Enter");
  await expect(sheet.getByText("In the journal as")).toBeVisible();
  await page.keyboard.press("Escape");
}

test.describe("without a Telemetry", () => {
  test.use({ rehearsed: "--scenario header-canary" });

  test("the shares are unknown, and both steps are offered", async ({ page, visit, a11y }) => {
    await visit(ROUTE);
    await new Band(page).pass(1);
    await expect(page.getByText(UNKNOWN)).toBeVisible();
    const steps = page.locator("section.apart");
    await expect(steps.getByRole("listitem")).toHaveCount(2);
    await steps.getByText("What to apply").press("Enter");
    await expect(steps.locator("pre")).toContainText('"value": "xds.route_name"');
    await expect(steps).toContainText(/Counted so far: 0 requests with the name of their route, [\d,]+ without/);
    await a11y.check();
    await name(page);
    await expect(steps).toContainText("Each rule that leads to these pods has a name of its own.");
    await expect(page.getByText(UNKNOWN)).toBeVisible();
    await expect(page.locator("table.observed")).toHaveCount(0);
  });
});

test.describe("with one", () => {
  test.use({ rehearsed: "--scenario header-canary -f end2end/fixtures/route-name.yaml" });

  test("names are all that is missing, and then each rule's requests are its own", async ({ page, visit, a11y }) => {
    await visit(ROUTE);
    const band = new Band(page);
    await band.pass(1);
    await expect(page.locator("section.apart")).toContainText("A Telemetry says that proxies tell the name of the route that a request took; so far none has.");
    await name(page);
    await band.pass(3);
    const table = page.locator("table.observed");
    await expect(table.locator("tbody tr")).toHaveCount(2);
    // One in twenty has the header: of some 60 a second those are told apart, and of the rest v2 has about its ten in a hundred.
    await expect(page.getByText(/[\d,]+ more requests came to the same services by other rules/)).toBeVisible();
    const number = async (text: Promise<string>) => Number((await text).replaceAll(",", "").match(/[\d.]+/)?.[0]);
    const others = await number(page.getByText(/more requests came/).innerText());
    const cells = await table.locator("tbody tr").nth(1).locator("td").allInnerTexts();
    const all = await number(Promise.resolve((await page.getByText(/Observed .* UTC, [\d,]+ requests/).innerText()).replace(/.*UTC, /, "")));
    expect(others / (others + all), "by the header").toBeGreaterThan(0.03);
    expect(others / (others + all), "by the header").toBeLessThan(0.07);
    expect(await number(Promise.resolve(cells[1])), "by the weights").toBeGreaterThan(7);
    expect(await number(Promise.resolve(cells[1])), "by the weights").toBeLessThan(13);
    await expect(page.getByText(UNKNOWN)).toHaveCount(0);
    await a11y.check();
  });
});

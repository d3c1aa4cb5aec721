// Scenarios played from the browser alone: won, and lost by their bad plays.
import { expect, test } from "../fixtures/console.ts";
import { Band, weigh } from "../fixtures/rehearsal.ts";

test.use({ world: "own" });

const ROUTE = "/canary/user-service/user-service-canary";

test.describe("a canary whose v2 fails", () => {
  test.use({ rehearsed: "--scenario canary-fails" });

  test("is won by small steps, back, mended, and on", async ({ page, visit, a11y }) => {
    test.setTimeout(180_000);
    await visit(ROUTE);
    const band = new Band(page);
    await band.pause();
    await weigh(page, 5, "a small step");
    await band.pass(3);
    await expect(band.ending()).toHaveCount(0);
    await weigh(page, 10, "the next");
    await band.pass(1);
    await expect(band.band.locator(".toll.bad")).toBeVisible();
    await weigh(page, 0, "it fails");
    await band.pass(1);
    await expect(band.met()).toHaveCount(1);
    await a11y.check();
    await band.move(/kubectl set image .*user-service:2\.0\.1/);
    await band.pass(2);
    await expect(band.met()).toHaveCount(2);
    await weigh(page, 10, "again");
    await band.pass(2);
    await weigh(page, 50, "half");
    await band.pass(5);
    await expect(band.ending()).toContainText("Done.");
    // The record says who, what, and at what cost.
    const records = await (await page.request.get("/rehearsal/records")).json();
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ scenario: "canary-fails", sub: "operator", harm: null });
    expect(records[0].harmed).toBeLessThan(300);
  });

  test("is lost by a leap", async ({ page, visit }) => {
    await visit(ROUTE);
    const band = new Band(page);
    await band.pause();
    await weigh(page, 50, "it looked well");
    await band.pass(3);
    await expect(band.ending()).toContainText("Lost:");
    await expect(band.met()).toHaveCount(0);
    // What was done is done; from the beginning it is another run.
    await band.band.getByText("Begin anew").click();
    await band.band.getByRole("button", { name: "Begin", exact: true }).click();
    await expect(band.ending()).toHaveCount(0);
    await expect(page).toHaveURL(/\/$/);
    await page.goto(ROUTE);
    await expect(page.getByRole("heading", { level: 1 })).toContainText("v1 100 %, v2 0 %");
  });
});

test.describe("crossing, phase 1", () => {
  test.use({ rehearsed: "--scenario crossing-1" });

  test("is won from the inside out", async ({ page, visit, a11y }) => {
    test.setTimeout(120_000);
    await visit("/topology");
    const band = new Band(page);
    await band.pause();
    await band.move("kubectl create secret tls -n istio-system oauth-buildingbite-com-tls --cert=tls.crt --key=tls.key");
    await band.move("kubectl apply -n default -f gateway.yaml");
    await band.move("kubectl apply -n default -f virtual-service.yaml");
    await expect(band.ending()).toHaveCount(0);
    await band.pass(1);
    await band.move("kubectl replace -n istio-system -f ingress-to-gateway-80.yaml");
    await band.pass(6);
    await expect(band.ending()).toContainText("Done.");
    await a11y.check();
    // What fails now and then by its own fault is not the player's: nobody met a missing route.
    const { rehearsal } = await (await page.request.get("/api/rehearsal")).json();
    const causes = rehearsal.story.toll.rows.map((row: { cause: string }) => row.cause);
    expect(causes.filter((cause: string) => cause !== "own-fault")).toEqual([]);
  });

  test("is lost when people are led to a gateway that knows no route", async ({ page, visit }) => {
    await visit("/topology");
    const band = new Band(page);
    await band.pause();
    await band.move("kubectl replace -n istio-system -f ingress-to-gateway-80.yaml");
    await band.pass(1);
    await expect(band.ending()).toContainText("Lost:");
    await band.band.locator(".toll.bad summary").click();
    await expect(band.band.locator(".toll table")).toContainText("people");
  });
});

test.describe("a viewer", () => {
  // What the browser says of an answer that refuses.
  test.use({ tolerated: /status of 403/ });

  test("is told so, and a persona is kept from page to page @phone", async ({ page, visit }) => {
    await visit("/?persona=viewer");
    const band = new Band(page);
    await expect(band.band.getByRole("combobox", { name: "You are" })).toHaveValue("viewer");
    await band.band.getByRole("button", { name: "+1 min" }).click();
    await expect(band.band).toContainText("Whom you play may not do that");
    await page.goto("/topology");
    await expect(band.band.getByRole("combobox", { name: "You are" })).toHaveValue("viewer");
    const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(width).toBeLessThanOrEqual(0);
  });
});

test("time stands still, and runs at sixty", async ({ page, visit }) => {
  await visit("/");
  const band = new Band(page);
  const clock = band.band.locator(".clock time");
  await band.pause();
  const still = await clock.innerText();
  await page.waitForTimeout(2_500);
  await expect(clock).toHaveText(still);
  await band.band.getByRole("button", { name: "Time passes 60 times as fast as outside" }).click();
  const minute = (text: string) => Number(text.split(":")[1]);
  await expect.poll(async () => minute(await clock.innerText()), { timeout: 15_000 }).not.toBe(minute(still));
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
});

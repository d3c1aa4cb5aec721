// Signing in at a real Keycloak, through its own form, to a console on the real cluster.
import type { Page } from "@playwright/test";
import { expect, test } from "../../fixtures/console.ts";
import { age, alive, enabled, endSession, enter, issuer, member, rotate, session, sessions, signIn, signingKey, subject } from "../../fixtures/keycloak.ts";
import { component, kubectl } from "../../fixtures/lab.ts";

const ROUTE = "/canary/user-service/user-service";
// A page whose session ends asks for its parts once more, and the browser notes what it is told.
test.use({ tolerated: /status of 401/ });

const who = (page: Page) => page.locator("header .who");

test.beforeAll(reset);
test.afterAll(reset);

async function reset() {
  const weights = [90, 10].map((value, i) => ({ op: "replace", path: `/spec/http/0/route/${i}/weight`, value }));
  await kubectl("-n", "user-service", "patch", "virtualservice", "user-service", "--type=json", "-p", JSON.stringify(weights));
}

test("whoever asks for a page signs in at Keycloak and comes to that page", async ({ page, context, visit, a11y }) => {
  const asked = "/topology?ns=user-service";
  await visit(asked);
  await expect(page).toHaveURL("/login?to=/topology%3Fns%3Duser-service");
  await expect(who(page), "nobody is said to be there").toHaveCount(0);
  await a11y.check();
  await page.getByRole("link", { name: "Sign in" }).click();
  await signIn(page, "viewer");
  await expect(page).toHaveURL(asked);
  await alive(page);
  await expect(who(page)).toHaveText("Signed in as Vera Viewer");
  await a11y.check();
  const { groups, sid } = await session(context);
  expect(groups).toEqual(["naru:viewer"]);
  expect(await sessions("viewer"), "Keycloak's own name for the session").toContain(sid);
  const cookies = (await context.cookies()).filter((it) => it.name.includes("naru"));
  expect(cookies.map(({ name, secure, httpOnly }) => ({ name, secure, httpOnly }))).toEqual([
    { name: "__Host-naru-session", secure: true, httpOnly: true },
  ]);
});

test("a viewer sees, and may not write", async ({ page, visit }) => {
  await enter(page, visit, "viewer", ROUTE);
  await weigh(page, 20);
  const sheet = page.getByRole("dialog");
  await expect(sheet).toContainText('User "naru:person" cannot patch resource "virtualservices"');
  await expect(sheet.getByRole("button", { name: "Apply" })).toBeDisabled();
});

test("what an operator writes is written as them, in the group that Keycloak has them in", async ({ page, visit }) => {
  await enter(page, visit, "operator", ROUTE);
  await expect(who(page)).toHaveText("Signed in as 서준 이");
  await weigh(page, 20);
  const sheet = page.getByRole("dialog");
  const reason = `By somebody whom Keycloak knows, ${Date.now()}`;
  await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill(reason);
  await sheet.getByRole("button", { name: "Apply" }).click();
  await expect(sheet.getByText("In the journal as")).toBeVisible();
  const changes = JSON.parse(await kubectl("-n", "user-service", "get", "changes.naru.dev", "-o", "json")).items;
  const made = changes.filter((it: { spec: { reason: string } }) => it.spec.reason === reason);
  expect(made.map((it: { spec: { actor: object } }) => it.spec.actor)).toEqual([
    expect.objectContaining({ issuer: issuer(), sub: await subject("operator"), groups: ["naru:operator"] }),
  ]);
});

test("somebody in no group is known, and is shown nothing", async ({ page, visit, a11y }) => {
  await enter(page, visit, "newcomer", "/topology");
  await expect(who(page)).toHaveText("Signed in as Nora Newcomer");
  await expect(page.getByText("Your groups may list pods in no namespace")).toBeVisible();
  await expect(page.getByText("sangsang-plus-gateway")).toHaveCount(0);
  await a11y.check();
});

test("two pages that were asked for at once are both reached", async ({ page, context }) => {
  const other = await context.newPage();
  await page.goto("/changes");
  await other.goto("/topology");
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "Sign In" })).toBeVisible();
  await other.getByRole("link", { name: "Sign in" }).click();
  await signIn(other, "viewer");
  await expect(other).toHaveURL("/topology");
  // Keycloak's form in the other one notices, and goes on by itself.
  await expect(page).toHaveURL("/changes", { timeout: 20_000 });
});

test("signing out ends the session here and at Keycloak", async ({ page, visit, context, a11y }) => {
  await enter(page, visit, "viewer", "/topology");
  const { sid } = await session(context);
  const kept = await context.cookies();
  // Over a slow line the page learns that its session has ended while the browser is still on its way to Keycloak: it must not call it back.
  const network = await context.newCDPSession(page);
  const latency = (ms: number) =>
    network.send("Network.emulateNetworkConditions", { offline: false, latency: ms, downloadThroughput: -1, uploadThroughput: -1 });
  await latency(3_000);
  await page.getByRole("button", { name: "Sign out" }).click();
  // No token is kept that would say whose session is meant, so that Keycloak asks.
  await expect(page.getByRole("button", { name: "Logout" })).toBeVisible({ timeout: 30_000 });
  await latency(0);
  await page.getByRole("button", { name: "Logout" }).click();
  await expect(page).toHaveURL("/login");
  await alive(page);
  await a11y.check();
  expect(await sessions("viewer")).not.toContain(sid);
  await context.addCookies(kept);
  await page.goto("/topology");
  await expect(page, "whatever cookie was kept").toHaveURL("/login?to=/topology&why=signed-out");
  await page.getByRole("link", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "Sign In" }), "Keycloak asks anew").toBeVisible();
});

test("a session that is ended at Keycloak is ended here", async ({ page, visit, context }) => {
  await enter(page, visit, "viewer");
  const { sid } = await session(context);
  await endSession(sid);
  await signedOut(page, "/topology");
  await expect(page.getByText("You are signed out.")).toBeVisible();
});

test("a session is renewed without a question, with the groups of the moment", async ({ page, visit, context }) => {
  await enter(page, visit, "operator-2");
  const first = await session(context);
  await member("PUT", "operator-2", "naru:security-officer");
  try {
    await age(context, 13);
    await page.goto("/topology");
    await expect(page).toHaveURL("/topology");
    const renewed = await session(context);
    expect(renewed.groups).toEqual(["naru:operator", "naru:security-officer"]);
    expect(renewed.issued).toBeGreaterThan(first.issued);
    expect(renewed.sid).toBe(first.sid);
  } finally {
    await member("DELETE", "operator-2", "naru:security-officer");
  }
  // One that has run out altogether, as in the morning.
  await age(context, 60);
  await page.goto("/topology");
  await expect(page).toHaveURL("/topology");
  expect((await session(context)).groups).toEqual(["naru:operator"]);
});

test("somebody whose account is disabled is not renewed", async ({ page, visit, context }) => {
  await enter(page, visit, "viewer");
  await enabled("viewer", false);
  try {
    await age(context, 13);
    const before = await session(context);
    await page.goto("/topology");
    await expect(page, "what is left of the session is theirs").toHaveURL("/topology");
    expect((await session(context)).expires).toBe(before.expires);
    await age(context, 3);
    await page.goto("/topology");
    await expect(page).toHaveURL("/login?to=/topology&why=lapsed");
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, "viewer");
    await expect(page.getByText("Account is disabled")).toBeVisible();
  } finally {
    await enabled("viewer", true);
  }
});

test("a new key at Keycloak is found by itself", async ({ page, visit, context }) => {
  await enter(page, visit, "viewer");
  const old = await signingKey();
  await rotate();
  expect(await signingKey()).not.toBe(old);
  // Keys are asked for once in five seconds at most, whoever sends tokens.
  await page.waitForTimeout(5_000);
  await page.goto("/changes");
  await expect(page, "the session goes on").toHaveURL("/changes");
  await context.clearCookies();
  await enter(page, visit, "operator");
  const { sid } = await session(context);
  await endSession(sid);
  await signedOut(page, "/topology");
});

test.describe("Keycloak away", () => {
  test.use({ tolerated: /status of 40[13]|net::ERR_/ });

  test("sessions go on; one that runs out may still read, and writes nothing", async ({ page, visit, context, server, a11y }) => {
    await enter(page, visit, "operator", ROUTE);
    await component("kill", "keycloak");
    try {
      await page.goto("/topology");
      await expect(who(page)).toBeVisible();
      await expect(page.getByText("Read-only")).toHaveCount(0);
      await age(context, 16);
      const away = page.getByText("the identity provider cannot be reached to renew it");
      // What Keycloak says of itself holds for ten seconds.
      await expect(async () => {
        await page.goto("/topology");
        await expect(away).toBeVisible({ timeout: 1_000 });
      }).toPass({ timeout: 20_000 });
      await alive(page);
      await expect(page.getByRole("table").getByText("product-service").first()).toBeVisible();
      await a11y.check();
      const refused = await page.evaluate(async () => (await fetch("/api/apply_weights", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).status);
      expect(refused).toBe(403);
      // Four hours later it is enough.
      await age(context, 4 * 60);
      await page.goto("/topology");
      const why = "/login?to=/topology&why=provider-away";
      await expect(page).toHaveURL(why);
      await page.getByRole("link", { name: "Sign in" }).click();
      await expect(page).toHaveURL(why);
      await alive(page);
      await expect(page.getByText("The identity provider cannot be reached")).toBeVisible();
      await a11y.check();
    } finally {
      await component("start", "keycloak");
    }
    // Back, and the session there has outlived it: no question.
    await expect(async () => {
      await page.goto("/changes");
      await expect(page).toHaveURL(`${server.url}/changes`, { timeout: 1_000 });
    }).toPass({ timeout: 20_000 });
    await expect(page.getByText("Read-only")).toHaveCount(0);
  });
});

/** Sets the weight of v2 and asks for the plan. */
async function weigh(page: Page, v2: number) {
  const number = page.getByRole("spinbutton", { name: "Weight of v2, in percent" });
  await number.fill(String(v2));
  await number.blur();
  await page.getByRole("button", { name: "See the plan" }).click();
}

/** Keycloak tells within moments; the next page that is asked for is nobody's. */
async function signedOut(page: Page, path: string) {
  await expect(async () => {
    await page.goto(path);
    await expect(page).toHaveURL(`/login?to=${path}&why=signed-out`, { timeout: 500 });
  }).toPass({ timeout: 10_000 });
}

// One request explained: by the form with and without scripts, from a call in the graph, by the URL alone.
import { expect, test } from "../fixtures/console.ts";

const CALLER = "default/sangsang-plus-gateway";
const ASKED = `/why?from=${CALLER}&method=GET&url=${encodeURIComponent("http://user-service.user-service/")}`;

test("the URL alone brings the question and its answer", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit(ASKED);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The request arrives");
  await expect(page.getByLabel("Caller")).toHaveValue(CALLER);
  await expect(page.getByLabel("URL")).toHaveValue("http://user-service.user-service/");
  await expect(page.getByText("90 % of the requests to user-service.user-service.svc.cluster.local (v1), port 80.")).toBeVisible();
  await expect(page.getByText(/decided by VirtualService user-service\/user-service-canary \/spec\/http/).first()).toBeVisible();
  for (const step of ["Caller", "Route", "Destination", "Ready endpoints", "mTLS", "Authorization", "Observed"]) {
    await expect(page.getByRole("heading", { name: step, exact: true }).first()).toBeVisible();
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow, "pixels that the page is wider than the screen").toBeLessThanOrEqual(0);
});

test("a header that no rule asks for changes nothing, and it stays in the form", { tag: "@reads" }, async ({ page, visit }) => {
  await visit(`${ASKED}&h=canary:true&h=x-a:1`);
  await expect(page.getByLabel("Headers, one a line")).toHaveValue("canary:true\nx-a:1");
  await expect(page.getByText("10 % of the requests", { exact: false })).toBeVisible();
});

test("asked by keyboard alone", { tag: "@reads" }, async ({ page, visit }) => {
  await visit("/why");
  await page.getByLabel("Caller").focus();
  await page.keyboard.type(CALLER);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("URL")).toBeFocused();
  await page.keyboard.type("http://user-service.user-service/a");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The request arrives");
  expect(new URL(page.url()).searchParams.get("url")).toBe("http://user-service.user-service/a");
});

test("a caller without a sidecar is told so", { tag: "@reads" }, async ({ page, visit }) => {
  await visit(ASKED.replace(CALLER, "keycloak/keycloak"));
  await expect(page.getByText("keycloak/keycloak has no sidecar", { exact: false })).toBeVisible();
  await expect(page.getByText("Istio's metrics do not name callers without a sidecar", { exact: false }).first()).toBeVisible();
});

test("nonsense is answered in the form", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit(`/why?from=${CALLER}&url=ftp%3A%2F%2Fa%2F`);
  await expect(page.getByRole("alert").filter({ hasText: "URL: wanted is" })).toBeVisible();
  await expect(page.getByLabel("URL")).toHaveAttribute("aria-invalid", "true");
  await visit("/why?from=default%2Fnobody&url=http%3A%2F%2Fa%2F");
  await expect(page.getByRole("alert").filter({ hasText: "default/nobody" })).toBeVisible();
});

test("what is offered is one step away", async ({ page, visit }) => {
  await visit("/why");
  await page.getByRole("group", { name: "Busiest calls:" }).getByRole("link", { name: `${CALLER} → user-service/user-service-v1` }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("The request arrives");
  await expect(page.getByLabel("URL")).toHaveValue("http://user-service.user-service/");
});

test("a call in the graph leads here", async ({ page, visit }) => {
  await visit("/topology");
  await page.getByRole("table").first().getByRole("row").filter({ hasText: "user-service-v2" }).getByRole("link").first().click();
  await page.getByRole("link", { name: "Explain a request between the two" }).click();
  await expect(page).toHaveURL(/\/why\?from=default\/sangsang-plus-gateway&to=user-service\/user-service-v2/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

for (const theme of ["light", "dark"] as const) {
  test(`an answer is accessible (${theme})`, async ({ page, visit, a11y }) => {
    await page.emulateMedia({ colorScheme: theme });
    await visit(ASKED);
    await a11y.check();
  });
}

test("Korean all the way", { tag: "@reads" }, async ({ page, visit }) => {
  await visit(`${ASKED}&lang=ko`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("요청이 도착합니다");
  await expect(page.getByText("단계별로")).toBeVisible();
});

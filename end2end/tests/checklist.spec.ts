// The checklist: from the list to an item and back, by keyboard; what people put their names to, and that the API server has the last word.
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures/console.ts";
import { Band } from "../fixtures/rehearsal.ts";

test("an item says when it is met, what is wrong and where, and leads to its neighbours", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit("/checklist");
  // Four phases, and the signatures as a whole.
  await expect(page.locator("section.card > header h2")).toHaveCount(5);
  await expect(page.locator(".item")).toHaveCount(16);
  await page.locator('.item[href="/checklist/1.2"]').click();
  await expect(page).toHaveURL(/\/checklist\/1\.2$/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1.2");
  await page.getByRole("link", { name: "1.3" }).click();
  await expect(page).toHaveURL(/\/checklist\/1\.3$/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("1.3");
});

test("an item is reached and left by the keyboard alone", async ({ page, visit }) => {
  await visit("/");
  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page).toHaveURL(/\/checklist$/);
  const first = page.locator(".item").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/checklist\/1\.1$/);
  await expect(page.getByRole("heading", { level: 1 })).toBeFocused();
});

for (const theme of ["light", "dark"] as const) {
  test(`an item is accessible (${theme})`, async ({ page, visit, a11y }) => {
    await page.emulateMedia({ colorScheme: theme });
    await visit("/checklist/1.2");
    await a11y.check();
  });
}

test.describe("what is no item", () => {
  test.use({ tolerated: /404/ });
  test("is not found, and says so", async ({ page }) => {
    await page.goto("/checklist/9.9");
    await expect(page.getByRole("alert")).toBeVisible();
  });
});

/** An item's page as a person uses it. */
function item(page: Page) {
  const signature = page.getByRole("region", { name: "Signature", exact: true });
  const sheet = page.getByRole("dialog");
  return {
    sheet,
    signature,
    findings: page.getByRole("region", { name: "What is wrong" }),
    history: page.getByRole("region", { name: "History" }),
    verb: (name: string) => signature.getByRole("button", { name, exact: true }),
    typed: (name: string) => sheet.getByRole("textbox", { name }),
    does: (name: string) => sheet.getByRole("button", { name, exact: true }),
  };
}

/** Naru looks at what was written, and the page at Naru, every few seconds. */
const SOON = { timeout: 30_000 };

test.describe("a name put to something", () => {
  test.use({ world: "own" });

  test("an item is signed by keyboard alone, accepted by Naru, and taken back with a reason", async ({ page, visit, a11y }) => {
    test.setTimeout(120_000);
    await visit("/checklist/4.3");
    const { sheet, signature, history, verb, typed, does } = item(page);
    await expect(signature).toContainText("Not signed");
    await verb("Sign").focus();
    await page.keyboard.press("Enter");
    await expect(sheet).toContainText("Not everything here is known to Naru");
    await expect(sheet).toContainText("000001");
    await expect(sheet).toContainText("It is the first of all.");
    await a11y.check();
    // Without a statement there is no signature.
    await expect(does("Sign with my name")).toBeDisabled();
    await expect(sheet).toContainText("A statement of 1 to 2,000 characters is needed.");
    // From the dialog's first button onward, to the place where one writes.
    for (let n = 0; n < 20 && !(await typed("Your statement").evaluate((it) => it === document.activeElement)); n++) {
      await page.keyboard.press("Tab");
    }
    await page.keyboard.type("All twelve were there, 나루도 봤다 <b>");
    await page.keyboard.press("Tab");
    await expect(does("Sign with my name")).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(sheet).toContainText("Written as 000001.");
    await expect(does("Close").last()).toBeFocused();
    await page.keyboard.press("Escape");
    await expect(sheet).toBeHidden();
    await expect(signature.getByRole("heading")).toBeFocused();
    await expect(history).toContainText("Accepted by Naru", SOON);
    await expect(signature).toContainText("All twelve were there, 나루도 봤다 <b>");
    await expect(signature.locator(".pill")).toHaveText(/Signed$/);
    await expect(verb("Sign")).toHaveCount(0);
    await a11y.check();

    await verb("Take the signature back").focus();
    await page.keyboard.press("Enter");
    await expect(sheet).toContainText("stays where it is, marked as taken back");
    await typed("Reason").focus();
    await page.keyboard.type("Two of them were asleep");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect(sheet).toContainText("Written as 000001.");
    await page.keyboard.press("Escape");
    await expect(signature).toContainText("Signature taken back", SOON);
    await expect(signature).toContainText("Two of them were asleep");
    await expect(verb("Sign")).toBeEnabled();
  });

  test("an item is passed over until a day, and that is taken back @phone", async ({ page, visit, a11y }) => {
    test.setTimeout(120_000);
    await visit("/checklist/4.2");
    const { sheet, history, verb, typed, does } = item(page);
    await verb("Pass over").click();
    await expect(does("Pass over")).toBeDisabled();
    await typed("Reason").fill("The dashboards move in spring");
    await typed("Who sees to it meanwhile").fill("observability-team-with-a-very-long-name-that-has-no-place-to-break-".repeat(2));
    const days = sheet.getByRole("spinbutton", { name: "Days" });
    for (const nonsense of ["0", "181", ""]) {
      await days.fill(nonsense);
      await expect(does("Pass over")).toBeDisabled();
    }
    await days.fill("14");
    await expect(sheet).toContainText(/It ends by itself on \d{4}-\d\d-\d\d/);
    await a11y.check();
    await does("Pass over").click();
    await expect(sheet).toContainText("Written as");
    await page.keyboard.press("Escape");
    const over = page.getByRole("region", { name: "Passed over" });
    await expect(over).toContainText("The dashboards move in spring", SOON);
    await expect(history).toContainText("Passed over");
    const width = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(width).toBeLessThanOrEqual(0);
    await a11y.check();
    await over.getByRole("button").click();
    await typed("Reason").fill("They moved already");
    await does("Take it back").click();
    await expect(sheet).toContainText("Written as");
    await page.keyboard.press("Escape");
    await expect(history).toContainText("No longer passed over", SOON);
    await expect(verb("Pass over")).toBeVisible();
  });

  test("a finding is accepted with a reason, an owner and an end", async ({ page, visit, a11y }) => {
    test.setTimeout(120_000);
    await visit("/checklist/1.2");
    const { sheet, findings, typed, does } = item(page);
    const accept = findings.getByRole("button", { name: /^Accept / }).first();
    await accept.click();
    // Both paths are one code at one place: who accepts the one accepts the other, and sees it.
    await expect(sheet.locator(".finding")).toHaveCount(2);
    await typed("Reason").fill("Known since March");
    await typed("Who sees to it meanwhile").fill("gateway team");
    await does("Accept").click();
    await expect(sheet).toContainText("Written as");
    await page.keyboard.press("Escape");
    await expect(findings).toContainText(/Accepted until \d{4}/, SOON);
    await expect(findings).toContainText("Known since March");
    await a11y.check();
    await page.goto("/checklist");
    await expect(page.locator('.item[href="/checklist/1.2"]')).toContainText("2 findings accepted");
  });

  test("what was given up leaves focus where it was, and writes nothing", async ({ page, visit }) => {
    await visit("/checklist/4.3");
    const { sheet, history, verb, typed } = item(page);
    await verb("Sign").click();
    await typed("Your statement").fill("not yet");
    await page.keyboard.press("Escape");
    await expect(sheet).toBeHidden();
    await expect(verb("Sign")).toBeFocused();
    await expect(history).toContainText("Nobody has signed or passed over anything here.");
  });

  test.describe("to what is no longer so", () => {
    // What the browser says of an answer that refuses.
    test.use({ tolerated: /status of 409/ });

    test("is asked for again, and what was typed is kept", async ({ page, visit }) => {
      await visit("/checklist/2.4");
      const { sheet, verb, typed, does } = item(page);
      await verb("Sign").click();
      await typed("Your statement").fill("All of them passed");
      // As if something had changed between the reading and the signing.
      const elsewhere = (sent: string | null) => (sent ?? "").replace(/"digest":"[0-9a-f]+"/, `"digest":"${"0".repeat(64)}"`);
      await page.route("**/api/put_name", (route) => route.continue({ postData: elsewhere(route.request().postData()) }), { times: 1 });
      await does("Sign with my name").click();
      await expect(sheet.getByRole("alert")).toContainText("has changed since it was shown to you");
      await expect(sheet.getByRole("alert")).toBeFocused();
      await expect(typed("Your statement")).toHaveValue("All of them passed");
      await does("Sign with my name").click();
      await expect(sheet).toContainText("Written as 000001.");
    });
  });

  test.describe("by somebody who only looks", () => {
    // What the browser says of an answer that refuses.
    test.use({ tolerated: /status of 403/ });

    test("is refused in words", async ({ page, visit }) => {
      await visit("/checklist/4.3?persona=viewer");
      const { sheet, verb, typed, does } = item(page);
      await verb("Sign").click();
      await expect(sheet).toContainText("The API server says that you may not sign this.");
      await expect(sheet).toContainText("the verb sign on signoffs (API group naru.dev) with the resource name 4.3");
      await typed("Your statement").fill("I would like to");
      await expect(does("Sign with my name")).toBeDisabled();
      await page.keyboard.press("Escape");
      await verb("Pass over").click();
      await typed("Reason").fill("I would like to");
      await typed("Who sees to it meanwhile").fill("me");
      await does("Pass over").click();
      await expect(sheet.getByRole("alert")).toContainText("Not written");
      await expect(sheet.getByRole("alert")).toContainText("The API server refuses");
      // What was typed is still there.
      await does("Back to it").click();
      await expect(typed("Reason")).toHaveValue("I would like to");
    });
  });
});

test.describe("a finding that can be mended", () => {
  test.use({ world: "own", rehearsed: "--scenario crossing-2" });

  test("is mended by a plan, stands in the journal, and is taken back", { tag: "@phone" }, async ({ page, visit, a11y }) => {
    test.setTimeout(120_000);
    await visit("/checklist/2.3");
    await new Band(page).move("kubectl apply -n default -f destination-rule-with-pool-of-10.yaml");
    const findings = page.getByRole("region", { name: "What is wrong" });
    const deprecated = findings.getByRole("listitem").filter({ hasText: "balancing-deprecated" }).first();
    const sheet = page.getByRole("dialog");
    await deprecated.getByRole("button", { name: /^Plan the fix/ }).click();
    await expect(sheet).toContainText("LEAST_CONN");
    await expect(sheet).toContainText("LEAST_REQUEST");
    await a11y.check();
    await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("the new name");
    await sheet.getByRole("button", { name: "Apply" }).click();
    await expect(sheet.getByText("In the journal as")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(deprecated).toBeHidden({ timeout: 30_000 });
    await visit("/changes");
    await page.getByRole("button", { name: /^Undo mend-/ }).click();
    await sheet.getByRole("textbox", { name: "Reason, for the journal" }).fill("once more");
    await sheet.getByRole("button", { name: "Take it back" }).click();
    await expect(sheet.getByText("In the journal as")).toBeVisible();
  });
});

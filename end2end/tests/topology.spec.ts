// The graph and its table twin.
import { expect, test } from "../fixtures/console.ts";

test("callers, called, and what is not known", { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
  await visit("/topology");
  const table = page.getByRole("table").first();
  for (const name of ["istio-ingressgateway", "sangsang-plus-gateway", "user-service-v2", "Unknown caller"]) {
    await expect(table.getByText(name).first()).toBeAttached();
  }
  await expect(table.getByText("plaintext").first()).toBeAttached();
});

test("the namespaces are in the URL, and it alone brings the same picture", { tag: "@reads" }, async ({ page, visit }) => {
  await visit("/topology?ns=user-service");
  const table = page.getByRole("table").first();
  await expect(table.getByText("user-service-v1").first()).toBeAttached();
  await expect(table.getByText("Unknown caller")).toHaveCount(0);
});

test("Korean all the way", { tag: "@reads" }, async ({ page, visit }) => {
  await visit("/topology?lang=ko");
  await expect(page.locator("html")).toHaveAttribute("lang", "ko");
  await expect(page.getByRole("navigation").first()).toContainText("토폴로지");
});

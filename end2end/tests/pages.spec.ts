// Every page, whatever it is about: it opens, it has one heading, it is accessible in light and dark, it fits a phone.
import { expect, test } from "../fixtures/console.ts";
import { PAGES } from "../pages/index.ts";

test("the rail leads to every page", { tag: "@reads" }, async ({ page, visit }) => {
  await visit("/");
  const links = page.getByRole("navigation").first().getByRole("link");
  const paths = await links.evaluateAll((all) => all.map((a) => new URL((a as HTMLAnchorElement).href).pathname));
  expect([...new Set(paths)].sort()).toEqual([...PAGES].sort());
});

for (const path of PAGES) {
  test(`${path} opens`, { tag: ["@reads", "@phone"] }, async ({ page, visit }) => {
    await visit(path);
    await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, "pixels that the page is wider than the screen").toBeLessThanOrEqual(0);
  });

  for (const theme of ["light", "dark"] as const) {
    test(`${path} is accessible (${theme})`, async ({ page, visit, a11y }) => {
      await page.emulateMedia({ colorScheme: theme });
      await visit(path);
      await a11y.check();
    });
  }
}

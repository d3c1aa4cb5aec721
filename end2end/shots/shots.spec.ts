// Pictures of every page to look at, in a folder outside the checkout: `./dev shots [folder]`.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "../fixtures/console.ts";
import { PAGES } from "../pages/index.ts";

const folder = process.env.NARU_SHOTS ?? join(tmpdir(), "naru-shots");
const only = process.env.NARU_SHOTS_ONLY?.split(",");

for (const language of ["en-US", "ko-KR"]) {
  for (const theme of ["light", "dark"] as const) {
    for (const width of [1440, 360]) {
      test.describe(() => {
        test.use({ locale: language, colorScheme: theme, viewport: { width, height: width > 1000 ? 900 : 740 } });
        for (const path of only ?? PAGES) {
          const name = `${path.slice(1).replaceAll("/", "-") || "overview"}-${width}-${theme}-${language.slice(0, 2)}`;
          test(name, async ({ page, visit }) => {
            await visit(path);
            await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
          });
        }
      });
    }
  }
}

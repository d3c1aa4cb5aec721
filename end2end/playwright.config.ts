// Journeys in a real Chromium, on the built server and the built assets. `./dev test` and `./dev lab test` call this;
// by hand, after `./dev build`: `./dev journeys [playwright's own arguments]`.
//
// A journey tagged @reads runs a second time without JavaScript, one tagged @phone a second time at 360 px.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import type { Options } from "./fixtures/console.ts";

const out = process.env.NARU_E2E_OUT ?? join(tmpdir(), "naru-e2e");
const desktop = { width: 1440, height: 900 };
const phone = { width: 360, height: 740 };
const lab = /tests\/lab\//;
const signIn = /tests\/lab\/(oidc|spring)/;

export default defineConfig<Options>({
  testDir: "tests",
  outputDir: join(out, "results"),
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  // Never twice: a journey that passes at the second attempt has found something.
  retries: 0,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [
    [process.env.CI ? "line" : "list"],
    ["json", { outputFile: process.env.NARU_E2E_JSON ?? join(out, "journeys.json") }],
  ],
  use: {
    viewport: desktop,
    locale: "en-US",
    timezoneId: "Asia/Seoul",
    colorScheme: "light",
    reducedMotion: "reduce",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "journeys", testIgnore: lab },
    { name: "no-script", testIgnore: lab, grep: /@reads/, use: { javaScriptEnabled: false } },
    { name: "phone", testIgnore: lab, grep: /@phone/, use: { viewport: phone, hasTouch: true } },
    // One mesh for all: what one journey changes, the next one sees. So one at a time, with patience.
    { name: "lab", testMatch: lab, testIgnore: signIn, fullyParallel: false, workers: 1, timeout: 180_000, use: { world: "lab" } },
    { name: "sign-in", testMatch: signIn, fullyParallel: false, workers: 1, timeout: 120_000, use: { world: "sign-in" } },
    { name: "shots", testDir: "shots", timeout: 120_000 },
  ],
});

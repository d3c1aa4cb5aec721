// The first two phases of the crossing on the real mesh: what the machine can see of them in a lab is seen, and nothing else is called met.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { judged, missing, naru } from "../../fixtures/check.ts";
import { expect, test } from "../../fixtures/console.ts";
import { front, kubectl, ours } from "../../fixtures/lab.ts";

test.skip(!ours, "services are restarted and a namespace is labelled");
test.describe.configure({ mode: "serial" });

/** How long a service soaks here, in seconds: a minute stands for the day that a team would take. */
const SOAK = 60;

/** Restarts a service's workloads, which is how a proxy comes, and lets it soak. */
async function takeIn(namespace: string, ...deployments: string[]) {
  for (const name of deployments) await kubectl("-n", namespace, "rollout", "restart", "deployment", name);
  for (const name of deployments) await kubectl("-n", namespace, "rollout", "status", "deployment", name, "--timeout=120s");
  await sleep((SOAK + 5) * 1_000);
}

async function migration(soak: string) {
  await kubectl("patch", "migration", "lab", "--type=merge", "-p", JSON.stringify({ spec: { soak } }));
}

let folder = "";

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "naru-crossing-"));
});

test.afterAll(async () => {
  await migration("24h");
  await kubectl("label", "namespace", "batch", "istio-injection-");
  await kubectl("-n", "batch", "rollout", "restart", "deployment", "stock-batch");
  await kubectl("-n", "batch", "rollout", "status", "deployment", "stock-batch", "--timeout=120s");
  await kubectl("delete", "clusterrolebinding", "journey-report", "--ignore-not-found");
  await rm(folder, { recursive: true, force: true });
});

test("before it, what is configured and answers is met, and a forgotten caller is not", async () => {
  const now = await judged();
  expect(missing(now["1.1"])).toEqual([]);
  expect(missing(now["1.2"])).toEqual([]);
  expect(missing(now["2.3"])).toContain("call-from-unknown");
  // A day and a renewal cannot be had in an hour, and that is all that is missing.
  expect(now["1.3"].unknown.map((it) => it.check)).toEqual(["old_path"]);
  expect(now["1.4"].unknown.map((it) => it.check)).toEqual(["certificate_renewal"]);
  expect([...now["1.3"].findings, ...now["1.4"].findings].filter((it) => it.severity === "error")).toEqual([]);
  const facts = Object.fromEntries(Object.values(now).flatMap((it) => it.facts.map((fact) => [fact.fact, fact.value])));
  expect(facts["ingress-to-gateway"]).toMatch(/^oauth\.buildingbite\.com: 100\.00 %/);
  expect(facts["certificate-presented"]).toContain("CN=oauth.buildingbite.com");
  expect(facts["validation-tried"]).toContain("denied the request");
  expect(facts["probe"]).toContain("sangsang-plus-gateway.default.svc.cluster.local");
});

test("the second phase, service by service, is met when each is in and has soaked", async () => {
  test.setTimeout(900_000);
  await migration(`${SOAK}s`);
  await kubectl("label", "namespace", "batch", "istio-injection=enabled", "--overwrite");
  await kubectl("-n", "batch", "rollout", "restart", "deployment", "stock-batch");
  await takeIn("default", "sangsang-plus-gateway");
  await takeIn("user-service", "user-service-v1", "user-service-v2");
  await takeIn("product-service", "product-service");
  const open = async () => {
    const now = await judged();
    return ["1.1", "1.2", "2.1", "2.2", "2.3"].flatMap((item) => missing(now[item]).map((it) => `${item} ${it}`));
  };
  await expect.poll(open, { timeout: 240_000, intervals: [5_000] }).toEqual([]);
  const facts = (await judged())["2.1"].facts;
  expect(facts.find((it) => it.fact === "rollout-requests")?.value).toMatch(/ · 0\/\d{2,}$/);
});

test("a regression test counts when it is handed in and its requests were seen", async () => {
  test.setTimeout(240_000);
  const started = new Date();
  const statuses: number[] = [];
  for (let i = 0; i < 30; i++) statuses.push((await front(i % 2 ? "/users/" : "/products/")).status);
  const cases = statuses.map((status, i) => `<testcase name="t${i}">${status === 200 ? "" : `<failure message="${status}"/>`}</testcase>`);
  const file = join(folder, "report.xml");
  await writeFile(file, `<testsuites><testsuite name="front door" tests="${cases.length}">${cases.join("")}</testsuite></testsuites>`);
  const ended = new Date();
  const said = ["--item", "2.4", "--junit", file, "--commit", "0123abc", "--target", "lab", "--started", started.toISOString(), "--ended", ended.toISOString()];
  const mine = ["--kubeconfig", process.env.NARU_LAB_KUBECONFIG ?? ""];
  await naru("evidence", "add", ...mine, ...said);
  const open = async () => missing((await judged())["2.4"]);
  await expect.poll(open, { timeout: 180_000, intervals: [5_000] }).toEqual([]);
  // Whatever is changed afterwards was not tried.
  await kubectl("-n", "user-service", "annotate", "virtualservice", "user-service", `naru-lab/changed=${Date.now()}`, "--overwrite");
  await expect.poll(open, { timeout: 30_000 }).toContain("regression-stale");
});

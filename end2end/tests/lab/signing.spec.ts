// Signing on the real API server, as people and as Naru: who wrote what, what opens an item again, and what does not.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "@playwright/test";
import { judged, missing } from "../../fixtures/check.ts";
import { expect, test } from "../../fixtures/console.ts";
import { component, kubectl, ours, renew } from "../../fixtures/lab.ts";
import type { Visit } from "../../fixtures/visit.ts";

test.skip(!ours, "what is expected is the lab's own system");
test.describe.configure({ mode: "serial" });

/** Item 2.2: the services are injected. */
const ITEM = "2.2";
const NAMESPACE = "user-service";
const ROLES = ["naru-signer", "naru-sign-phase-1", "naru-sign-phase-2", "naru-pass-over"];

interface SignOff {
  metadata: { name: string };
  spec: { item: string; actor: { sub: string } };
  status?: { accepted?: { at: string; digest: string }; reopened?: { at: string; findings: { code: string; object: { name: string } }[] } };
}

/** Since when this test's own signatures count. */
let began = 0;

async function signOffs(): Promise<SignOff[]> {
  const all: SignOff[] = JSON.parse(await kubectl("get", "signoffs.naru.dev", "-o", "json")).items;
  return all.filter((it) => Number(it.metadata.name) > began);
}

async function label(...what: string[]) {
  await kubectl("label", "namespace", NAMESPACE, "--overwrite", ...what);
}

test.beforeAll(async () => {
  began = JSON.parse(await kubectl("get", "signoffs.naru.dev", "-o", "json")).items.length;
  for (const role of ROLES) {
    await kubectl("create", "clusterrolebinding", `journey-${role}`, `--clusterrole=${role}`, "--group=naru:operator");
  }
});

test.afterAll(async () => {
  await label("istio-injection=enabled");
  for (const role of ROLES) await kubectl("delete", "clusterrolebinding", `journey-${role}`, "--ignore-not-found");
});

/** Signs an item from its page. */
async function sign(page: Page, visit: Visit, item = ITEM) {
  await visit(`/checklist/${item}`);
  const button = page.getByRole("button", { name: "Sign", exact: true });
  await expect(button).toBeEnabled({ timeout: 30_000 });
  await button.click();
  const sheet = page.getByRole("dialog");
  await sheet.getByRole("textbox").fill("Looked at by a journey.");
  await sheet.getByRole("button", { name: "Sign with my name" }).click();
  await expect.poll(async () => (await signOffs()).at(-1)?.status?.accepted?.digest, { timeout: 30_000 }).toMatch(/^[0-9a-f]{64}$/);
}

test("a signature is the person's, its acceptance Naru's, its head an Event", async ({ page, visit }) => {
  test.setTimeout(120_000);
  await sign(page, visit);
  const signed = (await signOffs()).at(-1);
  expect(signed?.spec).toMatchObject({ item: ITEM, actor: { sub: "operator" } });
  const events = await kubectl("-n", "default", "get", "events", "--field-selector", `involvedObject.name=${signed?.metadata.name}`, "-o", "json");
  expect(JSON.parse(events).items.map((it: { reason: string }) => it.reason)).toContain("Accepted");
});

test("restarts, a swing of replicas and a new istiod open nothing", async () => {
  test.setTimeout(420_000);
  const deployments = ["user-service-v1", "user-service-v2"];
  for (let i = 0; i < 20; i++) {
    await kubectl("-n", NAMESPACE, "rollout", "restart", "deployment", deployments[i % 2]);
    await sleep(2_000);
  }
  const of = async (replicas: number) => kubectl("-n", NAMESPACE, "scale", "deployment", deployments[1], `--replicas=${replicas}`);
  const before = JSON.parse(await kubectl("-n", NAMESPACE, "get", "deployment", deployments[1], "-o", "json")).spec.replicas;
  for (const replicas of [before + 2, before]) {
    await of(replicas);
    await sleep(5_000);
  }
  await component("kill", "istiod");
  await sleep(5_000);
  await component("start", "istiod");
  for (const name of deployments) await kubectl("-n", NAMESPACE, "rollout", "status", "deployment", name, "--timeout=180s");
  await sleep(10_000);
  expect((await signOffs()).filter((it) => it.status?.reopened)).toEqual([]);
});

test("a label removed opens it within 15 s, and says so", async ({ page, visit }) => {
  test.setTimeout(120_000);
  await visit(`/checklist/${ITEM}`);
  await label("istio-injection-");
  const removed = Date.now();
  const reopened = async () => (await signOffs()).at(-1)?.status?.reopened;
  await expect.poll(reopened, { timeout: 15_000, intervals: [250] }).toBeTruthy();
  console.log(`open again after ${((Date.now() - removed) / 1_000).toFixed(1)} s`);
  expect((await reopened())?.findings.map((it) => it.object.name)).toContain(NAMESPACE);
  await expect(page.getByText("Open again").first()).toBeVisible({ timeout: 15_000 });
});

test("what was mended is signed anew, and the chain is whole", async ({ page, visit }) => {
  test.setTimeout(120_000);
  await label("istio-injection=enabled");
  await sign(page, visit);
  const exported = await naru("export");
  expect(JSON.parse(exported).signOffs.length).toBeGreaterThanOrEqual(2);
});

/** One command of Naru's, as the lab's administrator. */
async function naru(...args: string[]): Promise<string> {
  const run = promisify(execFile);
  const [bin, kubeconfig] = [process.env.NARU_BIN, process.env.NARU_LAB_KUBECONFIG];
  if (!bin || !kubeconfig) throw new Error("NARU_BIN and NARU_LAB_KUBECONFIG are set by `./dev lab test`");
  return (await run(bin, [...args, "--kubeconfig", kubeconfig], { maxBuffer: 32 << 20 })).stdout;
}

test("a certificate that is another one than was signed for shows that somebody renews it", async ({ page, visit }) => {
  test.setTimeout(180_000);
  expect(missing((await judged())["1.4"])).toEqual([expect.stringContaining("certificate_renewal")]);
  // Signed by their own word that it is renewed: nobody has seen it yet.
  await sign(page, visit, "1.4");
  await renew();
  await expect.poll(async () => missing((await judged())["1.4"]), { timeout: 60_000 }).toEqual([]);
});

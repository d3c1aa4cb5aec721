// Servers that are killed while they take a canary through its steps, on the real API server: whoever comes next goes on, and each step is written once.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@playwright/test";
import { away, begin, phase, set, status, weights } from "../../fixtures/canary.ts";
import { labCommand } from "../../fixtures/console.ts";
import { accepted, auditEnd, kubectl, much, ours, rate } from "../../fixtures/lab.ts";
import { start } from "../../fixtures/server.ts";

test.skip(!ours, "only the lab's own route may be moved at random");

/** Who comes next believes in the Lease of the one that died for a while. */
const KILLS = much(3, 20);
const STEPS = Array.from({ length: much(5, 20) }, (_, i) => (i + 1) * much(20, 5));

test.afterAll(async () => {
  await away();
  await set(90);
  await rate(60);
});

test("each step is written once, whoever dies on the way", async () => {
  test.setTimeout(KILLS * 100_000 + 180_000);
  await away();
  await set(100);
  // Those before may have left pods on their way: a canary without a ready one goes back at once, and rightly.
  for (const version of ["v1", "v2"]) {
    await kubectl("-n", "user-service", "rollout", "status", `deployment/user-service-${version}`, "--timeout=90s");
  }
  // Without requests to both there is nothing to compare, and it would wait for them.
  await rate(60);
  const known = new Set((await journal()).map((it) => it.metadata.name));
  const audit = await auditEnd();
  const quick = STEPS.map((weight) => ({ weight, dwell: "1s", requests: 0 }));
  // What its figures are like is no matter here: it is to come to its end.
  const guardrail = { errors: 0.9, amplification: 1, clientErrors: false };
  await begin("killed", [], { steps: quick, guardrail });
  const met: string[] = [];
  for (let i = 0; i < KILLS; i++) {
    const server = await start(labCommand());
    // Until it has the Lease and has written down what it is about to do; and then at once, in the middle of that, or anywhere.
    const had = (await status("killed")).written?.change;
    const goes = async () => (await status("killed")).written?.change !== had;
    await expect.poll(async () => (await goes()) || (await over()), { timeout: 90_000, intervals: [20] }).toBe(true);
    if (i % 2) await sleep(Math.random() * 1_500);
    await server.kill();
    const { phase, why } = await status("killed");
    met.push(`${phase} at ${(await weights())[1]} % ${why?.map((it) => it.code) ?? ""}`);
    await server.stop();
    if (await over()) break;
  }
  console.log(`killed ${met.join(", ")}`);
  const last = await start(labCommand());
  try {
    await phase("killed", "Promoted", 150_000);
  } finally {
    await last.stop();
  }
  expect(await weights()).toEqual([0, 100]);
  // Each of its entries has ended, and those that landed are the steps, each once.
  const made = (await journal()).filter((it) => !known.has(it.metadata.name));
  const ended = made.map((it) => it.status?.phase ?? "Intended");
  expect(ended.filter((it) => !["Landed", "NotCarriedOut"].includes(it))).toEqual([]);
  const landed = made.filter((it) => it.status?.phase === "Landed");
  const to = landed.map((it) => Number(it.spec.diff.find((line) => line.label === "v2")?.after)).sort((a, b) => a - b);
  expect(to).toEqual(STEPS);
  // The API server's own account: nobody else has moved it, and nothing was stored that the journal does not have.
  const names = new Set(landed.map((it) => `naru-${it.metadata.name}`));
  expect((await accepted(audit)).map((it) => it.manager).filter((it) => !names.has(it))).toEqual([]);
});

interface Entry {
  metadata: { name: string };
  spec: { diff: { label: string; after?: string }[] };
  status?: { phase: string };
}

async function journal(): Promise<Entry[]> {
  return JSON.parse(await kubectl("-n", "user-service", "get", "changes.naru.dev", "-o", "json")).items;
}

async function over(): Promise<boolean> {
  return ["Promoted", "RolledBack"].includes((await status("killed")).phase ?? "");
}

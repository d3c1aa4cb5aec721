// The server itself killed at random in the middle of changes: before or after, never half; the journal true in the end.
import { setTimeout as sleep } from "node:timers/promises";
import { expect, labCommand, test } from "../../fixtures/console.ts";
import { auditEnd, kubectl, live, much, ours, patches } from "../../fixtures/lab.ts";
import { type Console, start } from "../../fixtures/server.ts";

test.skip(!ours, "only the lab's own route may be moved at random");

const KILLS = much(20, 50);
const NAMESPACE = "user-service";

interface Weighted {
  routes: { route: { namespace: string; name: string; rule: number }; destinations: { host: string; subset: string; weight: number }[] }[];
}
interface Entry {
  metadata: { name: string };
  spec: { resourceVersion: string; before: string; after: string };
  status?: { phase: string };
}

test(`${KILLS} servers killed at random`, async () => {
  test.setTimeout(600_000);
  const audit = await auditEnd();
  const known = new Set((await entries()).map((it) => it.metadata.name));
  for (let i = 0; i < KILLS; i++) {
    const server = await start(labCommand());
    try {
      const intent = await wish(server, 30 + i);
      const { digest } = (await post(server, "plan_weights", { intent })) as { digest: string };
      // Not awaited: the server will not live to answer, mostly.
      const answer = post(server, "apply_weights", { intent, digest, reason: `kill ${i}` }).catch(() => undefined);
      await sleep(Math.random() * 60);
      await server.kill();
      await answer;
    } finally {
      await server.stop();
    }
  }
  // The last server stays and recovers; the oldest open change may be as young as the grace of 75 s.
  const last = await start(labCommand());
  try {
    const made = async () => (await entries()).filter((it) => !known.has(it.metadata.name));
    await expect
      .poll(async () => (await made()).filter((it) => (it.status?.phase ?? "Intended") === "Intended").length, { timeout: 120_000, intervals: [2_000] })
      .toBe(0);
    const all = await made();
    const phases = all.map((it) => it.status?.phase);
    const landed = all.filter((it) => it.status?.phase === "Landed");
    console.log(`${all.length} entries: ${landed.length} landed, ${phases.filter((it) => it === "NotCarriedOut").length} not carried out`);
    expect(phases).not.toContain("Stopped");
    // Each landed on a resourceVersion of its own: nothing was written twice.
    const guards = landed.map((it) => it.spec.resourceVersion);
    expect(new Set(guards).size).toBe(landed.length);
    // The API server's own account. A request whose caller died is logged as 504, whether or not it was stored: there the journal, which
    // has looked at the object, knows more than the audit log.
    const sent = (await patches(audit)).filter((it) => !it.dryRun && it.user === "naru:person");
    const managers = new Set(landed.map((it) => `naru-${it.metadata.name}`));
    const stored = sent.filter((it) => it.code < 300).map((it) => it.manager);
    expect(stored.filter((it) => !managers.has(it)), "accepted, so the journal must say so").toEqual([]);
    const possible = new Set(sent.filter((it) => it.code < 300 || it.code >= 500).map((it) => it.manager));
    expect([...managers].filter((it) => !possible.has(it)), "landed, so it must have been sent").toEqual([]);
    console.log(`${stored.length} of them answered before the server died`);
  } finally {
    await last.stop();
  }
});

async function entries(): Promise<Entry[]> {
  return JSON.parse(await kubectl("-n", NAMESPACE, "get", "changes.naru.dev", "-o", "json")).items;
}

/** The route with its first destination at `first`, or one point beside if it is there already. */
async function wish(server: Console, first: number) {
  const find = async () => (await live<Weighted>(server, "canaries")).routes.find((it) => it.route.name === "user-service");
  await expect.poll(async () => !!(await find())?.destinations.every((it) => it.weight >= 0), { timeout: 20_000 }).toBe(true);
  const found = await find();
  if (!found) throw new Error("it was there a moment ago");
  const weight = found.destinations[0].weight === first ? first + 1 : first;
  const weights = found.destinations.map(({ host, subset }, i) => ({ host, subset, weight: i === 0 ? weight : 100 - weight }));
  return { route: found.route, weights };
}

async function post(server: Console, endpoint: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json", origin: server.url };
  const answer = await fetch(`${server.url}/api/${endpoint}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${endpoint}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

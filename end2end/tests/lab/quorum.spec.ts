// Two people at Naru's console on the real API server, under its real policies: one proposes, the other carries it out, and nobody is both.
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@playwright/test";
import { labCommand } from "../../fixtures/console.ts";
import { kubectl, ours } from "../../fixtures/lab.ts";
import { type Console, start } from "../../fixtures/server.ts";

test.skip(!ours, "what is changed is the lab's own system");

const NAMESPACE = "user-service";
const PEOPLE = ["ann", "ben"] as const;
type Person = (typeof PEOPLE)[number];

let tokens = {} as Record<Person, string>;

test.beforeAll(async () => {
  for (const name of PEOPLE) await kubectl("-n", NAMESPACE, "create", "serviceaccount", name);
  await kubectl("create", "clusterrole", "quorum-operators", "--verb=impersonate", "--resource=groups", "--resource-name=naru:operator");
  const accounts = PEOPLE.map((it) => `--serviceaccount=${NAMESPACE}:${it}`);
  await kubectl("create", "clusterrolebinding", "quorum-operators", "--clusterrole=quorum-operators", ...accounts);
  const token = async (name: Person) => (await kubectl("-n", NAMESPACE, "create", "token", name, "--audience=naru")).trim();
  tokens = { ann: await token("ann"), ben: await token("ben") };
  await kubectl("patch", "migrations.naru.dev", "lab", "--type=merge", "-p", JSON.stringify({ spec: { quorumAbove: 25 } }));
  await weigh(90);
});

test.afterAll(async () => {
  await kubectl("patch", "migrations.naru.dev", "lab", "--type=merge", "-p", JSON.stringify({ spec: { quorumAbove: null } }));
  await weigh(90);
  await kubectl("-n", NAMESPACE, "delete", "proposals.naru.dev", "--all");
  await kubectl("delete", "--ignore-not-found", "clusterrolebinding,clusterrole", "quorum-operators");
  await kubectl("-n", NAMESPACE, "delete", "--ignore-not-found", "serviceaccount", ...PEOPLE);
});

async function weigh(v1: number) {
  const ops = [v1, 100 - v1].map((value, i) => ({ op: "replace", path: `/spec/http/0/route/${i}/weight`, value }));
  await kubectl("-n", NAMESPACE, "patch", "virtualservice", "user-service", "--type=json", "-p", JSON.stringify(ops));
}

async function v2(): Promise<string> {
  return kubectl("-n", NAMESPACE, "get", "virtualservice", "user-service", "-o", "jsonpath={.spec.http[0].route[1].weight}");
}

interface Route {
  route: { name: string };
  destinations: { host: string; subset: string; weight: number }[];
  proposals: [{ by: string; reason: string }, object][];
}

async function route(server: Console): Promise<Route | undefined> {
  const answer = await fetch(`${server.url}/live/canaries`, { headers: { authorization: `Bearer ${tokens.ann}` } });
  return answer.ok ? ((await answer.json()) as { routes: Route[] }).routes.find((it) => it.route.name === "user-service") : undefined;
}

async function post(server: Console, who: Person, endpoint: string, body: object) {
  const headers = { "content-type": "application/json", origin: server.url, authorization: `Bearer ${tokens[who]}` };
  const answer = await fetch(`${server.url}/api/${endpoint}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, answer: text ? JSON.parse(text) : null };
}

async function file(json: object): Promise<string> {
  const path = join(tmpdir(), `naru-proposal-${process.pid}.json`);
  await writeFile(path, JSON.stringify(json));
  return path;
}

test("who proposes cannot carry out, who carries out needs a proposal, and none can be forged", async () => {
  const server = await start([...labCommand(), "--auth", "kubernetes"]);
  try {
    await expect.poll(async () => (await route(server))?.destinations.map((it) => it.weight), { timeout: 20_000 }).toEqual([90, 10]);
    const found = (await route(server)) as Route;
    const intent = {
      route: found.route,
      weights: found.destinations.map(({ host, subset }, i) => ({ host, subset, weight: [50, 50][i] })),
    };
    const planned = async (who: Person) => (await post(server, who, "plan_weights", { intent })).answer as { digest: string; quorum: { above: number; proposed: { by: string } | null } };
    const plan = await planned("ann");
    expect(plan.quorum).toEqual({ above: 25, proposed: null });
    const apply = (who: Person) => post(server, who, "apply_weights", { intent, digest: plan.digest, reason: `${who} applies` });
    for (const who of PEOPLE) {
      const { status, answer } = await apply(who);
      expect(status, JSON.stringify(answer)).toBe(422);
      expect(JSON.stringify(answer)).toContain('"quorum"');
    }
    const proposed = await post(server, "ann", "propose_change", { wish: { weights: intent }, digest: plan.digest, reason: "half" });
    expect(proposed.status, JSON.stringify(proposed.answer)).toBe(200);
    await expect.poll(async () => (await route(server))?.proposals.map(([it]) => it.reason), { timeout: 10_000 }).toEqual(["half"]);
    expect((await apply("ann")).status, "the same person").toBe(422);
    expect(await v2()).toBe("10");

    // A proposal in somebody else's name is not taken by the API server, whoever sends it, and one's own is not changed.
    const one = JSON.parse(await kubectl("-n", NAMESPACE, "get", "proposals.naru.dev", proposed.answer as string, "-o", "json"));
    const forged = { ...one, metadata: { namespace: NAMESPACE, name: "forged" }, spec: { ...one.spec, actor: { ...one.spec.actor, sub: "ben" } } };
    await expect(kubectl("create", "-f", await file(forged))).rejects.toThrow(/spec.actor is not who asks/);
    const other = JSON.stringify({ spec: { digest: "0".repeat(64) } });
    await expect(kubectl("-n", NAMESPACE, "patch", "proposals.naru.dev", one.metadata.name, "--type=merge", "-p", other)).rejects.toThrow(/never changes/);

    expect((await planned("ben")).quorum.proposed?.by).toContain("ann");
    const done = await apply("ben");
    expect(done.status, JSON.stringify(done.answer)).toBe(200);
    expect(await v2()).toBe("50");

    // The way back is one person's, and what was agreed to once was agreed to once.
    const { change, namespace } = done.answer as { change: string; namespace: string };
    const undo = (await post(server, "ann", "plan_undo", { namespace, change })).answer as { digest: string; quorum: unknown };
    expect(undo.quorum).toBeNull();
    expect((await post(server, "ann", "undo_change", { namespace, change, digest: undo.digest, reason: "back" })).status).toBe(200);
    expect(await v2()).toBe("10");
    await expect.poll(async () => (await planned("ben")).quorum, { timeout: 10_000 }).toEqual({ above: 25, proposed: null });
    expect((await apply("ben")).status, "used up").toBe(422);
  } finally {
    await server.stop();
  }
});

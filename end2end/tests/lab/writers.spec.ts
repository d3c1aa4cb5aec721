// Four writers on one route, five hundred times: whoever writes through Naru has seen what was there, and whoever came too late is told so.
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "@playwright/test";
import { labCommand } from "../../fixtures/console.ts";
import { accepted, auditEnd, kubectl, much, ours, type Patch, rate } from "../../fixtures/lab.ts";
import { type Console, start } from "../../fixtures/server.ts";

test.skip(!ours, "what is expected is the lab's own system");

const ROUNDS = 500;
/** After so many milliseconds no round is begun: a machine that is busy with other things makes fewer of them, and says how many. */
const ENOUGH = much(75, 600) * 1_000;
const FEWEST = 50;
const NAMESPACE = "user-service";
const ROUTE = `/apis/networking.istio.io/v1/namespaces/${NAMESPACE}/virtualservices/user-service`;
/** Two people at Naru's console; a pipeline that compares and swaps; what rewrites all of `spec` from a repository, and never looks. */
const WRITERS = ["kim", "lee", "pipeline", "deployer"] as const;
type Writer = (typeof WRITERS)[number];
type Person = "kim" | "lee";

interface Answer {
  status: number;
  answer: unknown;
}
/** Who wrote last, as a refusal says it. */
interface Named {
  manager: string;
  change: { name: string; actor: string } | null;
}
interface Route {
  metadata: { resourceVersion: string };
  spec: { hosts: string[]; http: { route: { weight?: number }[] }[] };
}

let tokens = {} as Record<Writer, string>;
let api = { server: "", ca: "" };

test.beforeAll(async () => {
  for (const name of WRITERS) await kubectl("-n", NAMESPACE, "create", "serviceaccount", name);
  const account = (name: Writer) => `--serviceaccount=${NAMESPACE}:${name}`;
  // Whom RBAC lets act as an operator may act as one at the console (k8s/README.md).
  await kubectl("create", "clusterrole", "journey-operators", "--verb=impersonate", "--resource=groups", "--resource-name=naru:operator");
  await kubectl("create", "clusterrolebinding", "journey-operators", "--clusterrole=journey-operators", account("kim"), account("lee"));
  await kubectl("-n", NAMESPACE, "create", "role", "journey-machines", "--verb=get,patch", "--resource=virtualservices.networking.istio.io");
  await kubectl("-n", NAMESPACE, "create", "rolebinding", "journey-machines", "--role=journey-machines", account("pipeline"), account("deployer"));
  const token = async (name: Writer, ...more: string[]) => (await kubectl("-n", NAMESPACE, "create", "token", name, ...more)).trim();
  const [kim, lee] = await Promise.all([token("kim", "--audience=naru"), token("lee", "--audience=naru")]);
  tokens = { kim, lee, pipeline: await token("pipeline"), deployer: await token("deployer") };
  const { cluster } = JSON.parse(await kubectl("config", "view", "--raw", "--flatten", "-o", "json")).clusters[0];
  api = { server: cluster.server, ca: Buffer.from(cluster["certificate-authority-data"], "base64").toString() };
});

test.afterAll(async () => {
  await rate(60);
  await kubectl("delete", "--ignore-not-found", "clusterrolebinding,clusterrole", "journey-operators");
  await kubectl("-n", NAMESPACE, "delete", "--ignore-not-found", "rolebinding,role", "journey-machines");
  await kubectl("-n", NAMESPACE, "delete", "--ignore-not-found", "serviceaccount", ...WRITERS);
  const ops = [90, 10].map((value, i) => ({ op: "replace", path: `/spec/http/0/route/${i}/weight`, value }));
  await kubectl("-n", NAMESPACE, "patch", "virtualservice", "user-service", "--type=json", "-p", JSON.stringify(ops));
});

test("each accepted write of Naru's began from what the one before it had left, and each loser was told who won", async () => {
  test.setTimeout(ENOUGH + 120_000);
  // It is writers that are counted here, and they want the machine.
  await rate(0);
  const known = new Set(await journal());
  const server = await start([...labCommand(), "--auth", "kubernetes"]);
  try {
    const wish = await wisher(server);
    const original = (await asked("GET", "pipeline")).answer as Route;
    const audit = await auditEnd();
    const people: { who: Person; answer: Answer; from: number; to: number }[] = [];
    const machines: { who: Writer; status: number }[] = [];
    const began = Date.now();
    let rounds = 0;
    for (; rounds < ROUNDS && Date.now() - began < ENOUGH; rounds++) {
      // A person looks at a plan; then all write, each a little earlier or later than the others. Every fifth time both persons do, and the
      // machines leave the field to them.
      const from = Date.now();
      const now: Person[] = rounds % 5 === 0 ? ["kim", "lee"] : [rounds % 2 ? "kim" : "lee"];
      const apply = await Promise.all(now.map((who) => planned(server, who, wish((who === "kim" ? 1 : 31) + (rounds % 30)))));
      const soon = (ms: number) => sleep(Math.random() * ms);
      const work = [
        async () => machines.push({ who: "pipeline", status: await pipeline(61 + (rounds % 20)) }),
        async () => machines.push({ who: "deployer", status: await deployer(original, 81 + (Math.floor(rounds / 5) % 20)) }),
      ];
      await Promise.all([
        ...now.map(async (who, i) => {
          await soon(40);
          const answer = await apply[i]();
          people.push({ who, answer, from, to: Date.now() });
        }),
        ...(now.length > 1 ? [] : work).map((write) => soon(140).then(write)),
      ]);
    }
    const seconds = (Date.now() - began) / 1_000;
    expect(rounds, `rounds in ${seconds.toFixed(0)} s`).toBeGreaterThanOrEqual(FEWEST);

    // What the API server took, in the order in which it did: a resourceVersion is a place in that order. A write that changes nothing leaves none.
    const taken = (await accepted(audit)).sort((a, b) => version(a) - version(b)).filter((it, i, all) => i === 0 || version(it) > version(all[i - 1]));
    const naru = taken.filter((it) => it.user === "naru:person");
    let before: { rv: string; weights: number[] } = { rv: original.metadata.resourceVersion, weights: weights(original) };
    for (const it of taken) {
      if (it.user === "naru:person") expect(seen(it), it.manager).toEqual(before);
      before = left(it);
    }

    // Whoever was told that it is done has one write in the log, and nobody else has any.
    const applied = people.filter((it) => it.answer.status === 200);
    const changes = applied.map((it) => `naru-${(it.answer.answer as { change: string }).change}`);
    expect(naru.map((it) => it.manager).sort()).toEqual(changes.sort());
    const lost = people.filter((it) => it.answer.status !== 200);
    const errors = lost.map((it) => (it.answer.answer as { error?: { error?: string } }).error?.error ?? JSON.stringify(it.answer));
    const by = (all: string[]) => JSON.stringify(Object.fromEntries([...new Set(all)].sort().map((it) => [it, all.filter((other) => other === it).length])));
    console.log(`${rounds} rounds in ${seconds.toFixed(0)} s; accepted ${by(taken.map((it) => it.user))}`);
    console.log(`people: ${applied.length} applied, refused ${by(errors)}; machines ${by(machines.map((it) => `${it.who} ${it.status}`))}`);
    expect(lost.map((it) => it.answer.status)).toEqual(lost.map(() => 409));

    // The winner is who has written between the plan and the refusal, by the name that the API server has and, of a person, by their own.
    const winners: string[] = [];
    for (const { who, answer, from, to } of lost) {
      const by = (answer.answer as { error: { by: Named | null } }).error.by;
      const meanwhile = taken.filter((it) => Date.parse(it.at) >= from && Date.parse(it.at) <= to);
      expect(meanwhile.map((it) => it.manager), JSON.stringify(answer)).toContain(by?.manager);
      const winner = applied.find((it) => `naru-${(it.answer.answer as { change: string }).change}` === by?.manager);
      if (winner) expect(by?.change?.actor, JSON.stringify(answer)).toContain(winner.who);
      expect(winner?.who, JSON.stringify(answer)).not.toBe(who);
      winners.push(winner?.who ?? by?.manager ?? "nobody");
    }
    console.log(`told that they lost against ${by(winners)}`);
    expect(winners.filter((it) => it === "kim" || it === "lee").length, "lost against the other person").toBeGreaterThan(0);
    // Otherwise nobody was in anybody's way, and nothing is shown.
    for (const who of ["kim", "lee"]) {
      expect(applied.filter((it) => it.who === who).length, `${who} applied`).toBeGreaterThan(rounds / 50);
      expect(lost.filter((it) => it.who === who).length, `${who} lost`).toBeGreaterThan(rounds / 50);
    }
  } finally {
    await server.stop();
    // A thousand entries would be in the way of all journeys that follow.
    const made = (await journal()).filter((it) => !known.has(it));
    if (made.length > 0) await kubectl("-n", NAMESPACE, "delete", "changes.naru.dev", "--wait=false", ...made);
  }
});

function version(it: Patch): number {
  return Number((it.answer as Route).metadata.resourceVersion);
}

function weights(route: Route): number[] {
  return route.spec.http[0].route.map((it) => it.weight ?? 0);
}

/** What a write has left. */
function left(it: Patch) {
  const route = it.answer as Route;
  return { rv: route.metadata.resourceVersion, weights: weights(route) };
}

/** What a write of Naru's says that it has seen: the version that it is for, and the weights that it replaces. */
function seen(it: Patch) {
  const ops = it.body as { op: string; path: string; value: unknown }[];
  const rv = ops.find((op) => op.path === "/metadata/resourceVersion")?.value;
  const tested = ops.filter((op) => op.op === "test" && /^\/spec\/http\/0\/route\/\d\/weight$/.test(op.path));
  return { rv, weights: tested.sort((a, b) => a.path.localeCompare(b.path)).map((op) => op.value) };
}

async function journal(): Promise<string[]> {
  return JSON.parse(await kubectl("-n", NAMESPACE, "get", "changes.naru.dev", "-o", "json")).items.map((it: { metadata: { name: string } }) => it.metadata.name);
}

/** Gives a function that wishes for a share of the first destination. */
async function wisher(server: Console) {
  interface Weighted {
    routes: { route: { name: string }; destinations: { host: string; subset: string }[] }[];
  }
  const find = async () => {
    const answer = await fetch(`${server.url}/live/canaries`, { headers: { authorization: `Bearer ${tokens.kim}` } });
    return answer.ok ? ((await answer.json()) as Weighted).routes.find((it) => it.route.name === "user-service") : undefined;
  };
  await expect.poll(async () => !!(await find()), { timeout: 20_000 }).toBe(true);
  const found = await find();
  if (!found) throw new Error("it was there a moment ago");
  return (first: number) => ({
    route: found.route,
    weights: found.destinations.map(({ host, subset }, i) => ({ host, subset, weight: i === 0 ? first : 100 - first })),
  });
}

/** Lets the console plan, and gives what applies it. */
async function planned(server: Console, who: Person, intent: object): Promise<() => Promise<Answer>> {
  const post = async (endpoint: string, body: object): Promise<Answer> => {
    const headers = { "content-type": "application/json", origin: server.url, authorization: `Bearer ${tokens[who]}` };
    const answer = await fetch(`${server.url}/api/${endpoint}`, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, answer: text ? JSON.parse(text) : null };
  };
  const plan = await post("plan_weights", { intent });
  expect(plan.status, JSON.stringify(plan.answer)).toBe(200);
  const { digest } = plan.answer as { digest: string };
  return () => post("apply_weights", { intent, digest, reason: `${who} among others` });
}

/** Looks, and writes only if nobody has written since. */
async function pipeline(first: number): Promise<number> {
  const { answer } = await asked("GET", "pipeline");
  const ops = [first, 100 - first].map((value, i) => ({ op: "replace", path: `/spec/http/0/route/${i}/weight`, value }));
  const test = { op: "test", path: "/metadata/resourceVersion", value: (answer as Route).metadata.resourceVersion };
  return (await asked("PATCH", "pipeline", "application/json-patch+json", [test, ...ops])).status;
}

/** Writes all of `spec` as its repository has it, over whatever is there. */
async function deployer({ spec }: Route, first: number): Promise<number> {
  const [rule, ...rest] = spec.http;
  const route = rule.route.map((it, i) => ({ ...it, weight: i === 0 ? first : 100 - first }));
  const body = { spec: { ...spec, http: [{ ...rule, route }, ...rest] } };
  return (await asked("PATCH", "deployer", "application/merge-patch+json", body)).status;
}

/** A request about the route to the API server itself. */
function asked(method: string, who: Writer, type = "", body?: unknown): Promise<Answer> {
  const headers = { authorization: `Bearer ${tokens[who]}`, ...(type && { "content-type": type }) };
  return new Promise((resolve, reject) => {
    const it = request(`${api.server}${ROUTE}?fieldManager=${who}`, { method, headers, ca: api.ca }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (some: string) => (text += some));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, answer: JSON.parse(text) })).on("error", reject);
    });
    it.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

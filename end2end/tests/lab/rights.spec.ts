// Each right of Naru's taken away in turn: what can still be read is read, what is missing is named, nothing is half written.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "../../fixtures/console.ts";
import { auditEnd, accepted, kubectl, live, object, ours } from "../../fixtures/lab.ts";
import { type Console, start } from "../../fixtures/server.ts";

test.skip(!ours, "roles are made and unmade");
test.describe.configure({ mode: "serial" });

const NAMESPACE = "naru";
const NAME = "naru-short";
const PAGES = ["/", "/topology", "/checklist", "/checklist/1.2", "/canary", "/canary/user-service/user-service", "/changes"];

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface Overview {
  sources: { source: string; state: string; whys: { why: string; verb?: string; resource?: string }[] }[];
}
interface Canaries {
  routes: { route: { namespace: string; name: string; rule: number }; destinations: { host: string; subset: string; weight: number }[] }[];
}

let folder = "";
let kubeconfig = "";
let rules: Rule[] = [];

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "naru-rights-"));
  const roles = ["naru-read", "naru-impersonate", "naru-journal"];
  const all = await Promise.all(roles.map(async (role) => JSON.parse(await kubectl("get", "clusterrole", role, "-o", "json")).rules as Rule[]));
  rules = all.flat().flatMap(single);
  await apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: NAME, namespace: NAMESPACE } });
  await grant(rules);
  await apply(binding("ClusterRoleBinding"));
  // It recovers as Naru does: leases of its own, and the fence where a namespace has opted in.
  await apply(binding("RoleBinding", NAMESPACE, "Role", "naru-leases"));
  await apply(binding("RoleBinding", "user-service", "ClusterRole", "naru-recovery"));
  const token = (await kubectl("-n", NAMESPACE, "create", "token", NAME)).trim();
  const config = JSON.parse(await kubectl("config", "view", "--raw", "-o", "json"));
  config.users = config.users.map((it: { name: string }) => ({ name: it.name, user: { token } }));
  kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
});

test.afterAll(async () => {
  await kubectl("delete", "--ignore-not-found", "clusterrolebinding,clusterrole", NAME);
  await kubectl("-n", "user-service", "delete", "--ignore-not-found", "rolebinding", NAME);
  await kubectl("-n", NAMESPACE, "delete", "--ignore-not-found", "rolebinding,serviceaccount", NAME);
  await rm(folder, { recursive: true, force: true });
});

// What `naru graph` lists.
const LISTED = ["pods", "replicasets", "deployments", "services", "ingresses", "gateways"];

test("with all of them the graph is whole", async () => {
  const { code, keys, graph } = await printed();
  expect({ code, keys, gaps: graph?.gaps }).toEqual({ code: 0, keys: [], gaps: [] });
});

for (const resource of LISTED) {
  test(`without list on ${resource} the graph is printed as far as it goes, and ends with 4`, async () => {
    await without({ resource, verb: "list" });
    const { code, keys, graph } = await printed();
    expect({ code, keys }).toEqual({ code: 4, keys: ["partial", "forbidden"] });
    expect(graph?.gaps).toEqual([expect.objectContaining({ why: "forbidden", verb: "list", resource })]);
    expect(graph?.edges.length, "Prometheus still tells who calls whom").toBeGreaterThan(0);
  });
}

test("each right to read taken away in turn: every page answers, and says which is missing", async () => {
  test.setTimeout(900_000);
  // A kind that the cluster does not have is never watched.
  const absent = ["gateway.networking.k8s.io", "install.istio.io", "cert-manager.io", "argoproj.io"];
  const has = (rule: Rule) => !absent.includes(rule.apiGroups[0]);
  const reads = rules.filter((rule) => ["list", "watch"].includes(rule.verbs[0]) && has(rule));
  expect(reads.length).toBeGreaterThan(20);
  for (const rule of reads) {
    const [resource, verb] = [rule.resources[0], rule.verbs[0]];
    await test.step(`${verb} ${resource}`, async () => {
      await without({ group: rule.apiGroups[0], resource, verb });
      await serving(async (server) => {
        const told = expect.objectContaining({ why: "forbidden", verb, resource });
        await expect.poll(async () => (await kubernetes(server)).whys, { timeout: 30_000 }).toContainEqual(told);
        expect((await kubernetes(server)).state).toBe("partial");
        await answers(server);
      });
    });
  }
});

for (const [what, group, resource, verb] of [
  ["to be the person", "", "users", "impersonate"],
  ["to be in the person's group", "", "groups", "impersonate"],
  ["to say who it is", "authentication.k8s.io", "userextras/naru.dev/sub", "impersonate"],
  ["to say who vouches for it", "authentication.k8s.io", "userextras/naru.dev/issuer", "impersonate"],
] as const) {
  test(`without the right ${what} a change is refused and nothing is written`, async () => {
    await without({ group, resource, verb });
    await refused("forbidden");
  });
}

for (const [what, resource, verb] of [
  ["patch VirtualServices", "virtualservices", "patch"],
  ["write into the journal", "changes", "create"],
] as const) {
  test(`a person who may not ${what} is refused, and nothing is written`, async () => {
    await grant(rules);
    const role = JSON.parse(await kubectl("get", "clusterrole", "naru-operator", "-o", "json"));
    const fewer = (role.rules as Rule[]).flatMap(single).filter((it) => !(it.resources[0] === resource && it.verbs[0] === verb));
    await apply({ ...bare(role), rules: fewer });
    try {
      await refused("forbidden");
    } finally {
      await apply(bare(role));
    }
  });
}

test("without the right to note how changes end, a change lands, and the journal says it once the right is back", async () => {
  await without({ group: "naru.dev", resource: "changes/status", verb: "patch" });
  const audit = await auditEnd();
  await serving(async (server) => {
    const { answer } = await change(server);
    const sent = await accepted(audit);
    expect(sent.length, JSON.stringify(answer)).toBe(1);
    await answers(server);
    await grant(rules);
    const name = sent[0].manager.replace(/^naru-/, "");
    const phase = async () => JSON.parse(await kubectl("-n", "user-service", "get", "changes.naru.dev", name, "-o", "json")).status?.phase;
    await expect.poll(phase, { timeout: 150_000, intervals: [2_000] }).toBe("Landed");
  });
  expect((await accepted(audit)).filter((it) => it.user === "naru:person").length, "never twice").toBe(1);
});

/** Plans and applies a change: it is refused with this error, and neither the route nor the journal has anything of it. */
async function refused(error: string): Promise<void> {
  const [audit, before, entries] = [await auditEnd(), await object("virtualservice", "user-service", "user-service"), await journal()];
  await serving(async (server) => {
    const { status, answer } = await change(server);
    expect(answer, `${status}`).toMatchObject({ failed: "apply", error: { error } });
    expect(status).toBe(403);
    await answers(server);
  });
  expect(await accepted(audit)).toEqual([]);
  expect(await object("virtualservice", "user-service", "user-service")).toEqual(before);
  expect(await journal()).toEqual(entries);
}

async function journal(): Promise<string[]> {
  const { items } = JSON.parse(await kubectl("-n", "user-service", "get", "changes.naru.dev", "-o", "json"));
  return items.map((it: { metadata: { name: string } }) => it.metadata.name);
}

/** One point moved: planned, and applied if the plan comes back; what the server said last. */
async function change(server: Console): Promise<{ status: number; answer: unknown }> {
  const find = async () => (await live<Canaries>(server, "canaries")).routes.find((it) => it.route.name === "user-service");
  await expect.poll(async () => !!(await find()), { timeout: 20_000 }).toBe(true);
  const found = await find();
  if (!found) throw new Error("it was there a moment ago");
  const first = found.destinations[0].weight > 50 ? found.destinations[0].weight - 1 : found.destinations[0].weight + 1;
  const weights = found.destinations.map(({ host, subset }, i) => ({ host, subset, weight: i === 0 ? first : 100 - first }));
  const intent = { route: found.route, weights };
  const planned = await post(server, "plan_weights", { intent });
  if (planned.status !== 200) return planned;
  const { digest } = planned.answer as { digest: string };
  return post(server, "apply_weights", { intent, digest, reason: "rights" });
}

async function post(server: Console, name: string, body: unknown): Promise<{ status: number; answer: unknown }> {
  const headers = { "content-type": "application/json", origin: server.url };
  const response = await fetch(`${server.url}/api/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, answer: text ? JSON.parse(text) : null };
}

async function answers(server: Console): Promise<void> {
  for (const page of PAGES) expect((await fetch(server.url + page)).status, page).toBe(200);
}

async function kubernetes(server: Console) {
  const found = (await live<Overview>(server, "overview")).sources.find((it) => it.source === "kubernetes");
  if (!found) throw new Error("the overview names no Kubernetes");
  return found;
}

async function serving(use: (server: Console) => Promise<void>): Promise<void> {
  const server = await start(["serve", "--kubeconfig", kubeconfig, "--prometheus", prometheus()]);
  try {
    await use(server);
  } finally {
    await server.stop();
  }
}

/** Runs `naru graph`. */
async function printed(): Promise<{ code: number; keys: string[]; graph?: { gaps: unknown[]; edges: unknown[] } }> {
  const bin = process.env.NARU_BIN ?? "";
  const args = ["graph", "--kubeconfig", kubeconfig, "--prometheus", prometheus()];
  return new Promise((resolve) =>
    execFile(bin, args, { maxBuffer: 32 << 20 }, (error, stdout, stderr) => {
      const keys = [...stderr.matchAll(/^error\[([^\]]+)\]: /gm)].map((it) => it[1]);
      resolve({ code: typeof error?.code === "number" ? error.code : 0, keys, graph: stdout ? JSON.parse(stdout) : undefined });
    }),
  );
}

function prometheus(): string {
  return process.env.NARU_LAB_PROMETHEUS ?? "";
}

/** Gives it everything but this right, and waits until the API server refuses it. */
async function without(right: { group?: string; resource: string; verb: string }): Promise<void> {
  const taken = (it: Rule) =>
    it.resources[0] === right.resource && it.verbs[0] === right.verb && (right.group === undefined || it.apiGroups[0] === right.group);
  expect(rules.filter(taken).length, "the right must be one that Naru has").toBeGreaterThan(0);
  await grant(rules.filter((it) => !taken(it)));
}

async function grant(granted: Rule[]): Promise<void> {
  await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: NAME }, rules: granted });
  // The authorizer hears of it by a watch of its own.
  await new Promise((done) => setTimeout(done, 300));
}

/** One rule for each resource and verb. */
function single(rule: Rule): Rule[] {
  return rule.resources.flatMap((resource) => rule.verbs.map((verb) => ({ ...rule, resources: [resource], verbs: [verb] })));
}

function binding(kind: "RoleBinding" | "ClusterRoleBinding", namespace?: string, of = "ClusterRole", role = NAME) {
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { name: NAME, ...(namespace && { namespace }) },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: of, name: role },
    subjects: [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }],
  };
}

function bare(object: { apiVersion: string; kind: string; metadata: { name: string }; rules: Rule[] }) {
  return { apiVersion: object.apiVersion, kind: object.kind, metadata: { name: object.metadata.name }, rules: object.rules };
}

async function apply(object: unknown): Promise<void> {
  const file = join(folder, "object.json");
  await writeFile(file, JSON.stringify(object));
  await kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=rights-journey", "-f", file);
}

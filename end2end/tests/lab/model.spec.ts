// The mesh model against the mesh: the same objects and requests through `naru what-if` and through a real sidecar. Expectations were written
// before either was asked. A rule's own status says which rule took a request.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "../../fixtures/console.ts";
import { kubectl, ours } from "../../fixtures/lab.ts";

test.skip(!ours, "objects of the lab's system are made and unmade");
test.describe.configure({ mode: "serial" });

const HOST = "product-service.product-service";
const PORT = 8082;
const FULL = `${HOST}.svc.cluster.local`;
const CALLER = { namespace: "default", labels: { app: "sangsang-plus-gateway", version: "v1" } };

interface Ask {
  path: string;
  method?: string;
  host?: string;
  headers?: Record<string, string>;
}
/** What the model says, and the status that the real sidecar answers with. */
type Case = [ask: Ask, reason: string, status: number];

const direct = (status: number) => ({ directResponse: { status } });
const on = (match: object | object[], status: number) => ({ match: [match].flat(), ...direct(status) });
const to = (prefix: string, destination: object) => ({ match: [{ uri: { prefix } }], route: [{ destination }] });

const rules = [
  on({ uri: { exact: "/exact" } }, 400),
  on({ uri: { exact: "/case" }, ignoreUriCase: true }, 401),
  on({ uri: { regex: "/re/[0-9]+" } }, 402),
  on({ uri: { prefix: "/hdr" }, headers: { "x-a": {} } }, 403),
  on({ uri: { prefix: "/hdr" }, headers: { "x-b": { prefix: "p" } } }, 405),
  on({ uri: { prefix: "/hdr" }, headers: { "x-c": { regex: "a.c" } } }, 406),
  on({ uri: { prefix: "/without" }, withoutHeaders: { "x-w": {} } }, 407),
  on({ uri: { prefix: "/other-value" }, withoutHeaders: { "x-w": { exact: "1" } } }, 408),
  on({ uri: { prefix: "/q" }, queryParams: { a: { exact: "1" } } }, 409),
  on({ uri: { prefix: "/q" }, queryParams: { b: { regex: "x+" } } }, 410),
  on({ uri: { prefix: "/q" }, queryParams: { c: {} } }, 411),
  on({ uri: { prefix: "/m" }, method: { exact: "POST" } }, 412),
  on({ uri: { prefix: "/m" }, method: { regex: "P.T" } }, 413),
  on({ uri: { prefix: "/labels" }, sourceLabels: { app: "nobody" } }, 414),
  on({ uri: { prefix: "/labels" }, sourceLabels: { app: "sangsang-plus-gateway" } }, 415),
  on({ uri: { prefix: "/space" }, sourceNamespace: "batch" }, 416),
  on({ uri: { prefix: "/space" }, sourceNamespace: "default" }, 417),
  on({ uri: { prefix: "/port" }, port: 81 }, 418),
  on({ uri: { prefix: "/port" }, port: PORT }, 419),
  on({ uri: { prefix: "/authority" }, authority: { exact: `${HOST}:${PORT}` } }, 420),
  on({ uri: { prefix: "/authority" }, authority: { prefix: HOST } }, 421),
  on({ uri: { prefix: "/gateways" }, gateways: ["istio-system/none"] }, 422),
  on({ uri: { prefix: "/gateways" }, gateways: ["mesh"] }, 423),
  on([{ uri: { prefix: "/two" }, headers: { "x-1": { exact: "1" } } }, { uri: { prefix: "/two" }, headers: { "x-2": { exact: "2" } } }], 424),
  on({ uri: { prefix: "/scheme" }, scheme: { exact: "http" } }, 425),
  on({ uri: { prefix: "/Prefix" }, ignoreUriCase: true }, 426),
  { match: [{ uri: { prefix: "/redirect" } }], redirect: { uri: "/new", redirectCode: 307 } },
  to("/no-subset", { host: "product-service", subset: "nope", port: { number: PORT } }),
  to("/no-port", { host: "product-service", port: { number: 9999 } }),
  to("/no-host", { host: "gone" }),
  to("/users", { host: "user-service.user-service.svc.cluster.local", port: { number: 80 } }),
  // No port: the caller's counts, which user-service does not have although it has only one.
  to("/callers-port", { host: "user-service.user-service.svc.cluster.local" }),
];

const said = (status: number): [string, number] => [`direct response ${status}`, status];
const none: [string, number] = ["404 no route", 404];

const cases: Case[] = [
  [{ path: "/exact" }, ...said(400)],
  [{ path: "/exact?x=1" }, ...said(400)],
  [{ path: "/exact/" }, ...none],
  [{ path: "/%65xact" }, ...said(400)],
  [{ path: "/exact%3f" }, ...none],
  [{ path: "/CASE" }, ...said(401)],
  [{ path: "/re/12" }, ...said(402)],
  [{ path: "/re/12/x" }, ...none],
  [{ path: "/re/a" }, ...none],
  [{ path: "/hdr", headers: { "x-a": "any" } }, ...said(403)],
  [{ path: "/hdr", headers: { "x-b": "px" } }, ...said(405)],
  [{ path: "/hdr", headers: { "x-b": "xp" } }, ...none],
  [{ path: "/hdr", headers: { "x-c": "abc" } }, ...said(406)],
  [{ path: "/hdr", headers: { "x-c": "abcd" } }, ...none],
  [{ path: "/without" }, ...said(407)],
  [{ path: "/without", headers: { "x-w": "1" } }, ...none],
  [{ path: "/other-value" }, ...said(408)],
  [{ path: "/other-value", headers: { "x-w": "1" } }, ...none],
  [{ path: "/other-value", headers: { "x-w": "2" } }, ...said(408)],
  [{ path: "/q?a=1" }, ...said(409)],
  [{ path: "/q?a=2" }, ...none],
  [{ path: "/q?z=1&a=1" }, ...said(409)],
  [{ path: "/q?b=xx" }, ...said(410)],
  [{ path: "/q?b=xy" }, ...none],
  [{ path: "/q?c" }, ...said(411)],
  [{ path: "/q?c=3" }, ...said(411)],
  [{ path: "/m", method: "POST" }, ...said(412)],
  [{ path: "/m", method: "PUT" }, ...said(413)],
  [{ path: "/m" }, ...none],
  [{ path: "/labels" }, ...said(415)],
  [{ path: "/space" }, ...said(417)],
  [{ path: "/port" }, ...said(419)],
  [{ path: "/authority" }, ...said(421)],
  [{ path: "/authority", host: `${HOST}.svc` }, ...said(421)],
  [{ path: "/authority", host: `${HOST}:${PORT}` }, ...said(420)],
  [{ path: "/gateways" }, ...said(423)],
  [{ path: "/two", headers: { "x-2": "2" } }, ...said(424)],
  [{ path: "/two" }, ...none],
  [{ path: "/scheme" }, ...said(425)],
  [{ path: "/pREFIX" }, ...said(426)],
  [{ path: "/redirect" }, "redirect 307 /new", 307],
  [{ path: "/no-subset" }, `503 subset missing: nope of ${FULL}`, 503],
  [{ path: "/no-port" }, `503 cluster missing: ${FULL} has no port 9999`, 503],
  [{ path: "/no-host" }, "503 cluster missing: gone.product-service.svc.cluster.local", 503],
  [{ path: "/users/1" }, "routed", 200],
  [{ path: "/callers-port" }, `503 cluster missing: user-service.user-service.svc.cluster.local has no port ${PORT}`, 503],
  [{ path: "/nothing-fits" }, ...none],
  [{ path: "/exact", host: FULL }, ...said(400)],
  [{ path: "/exact", host: "PRODUCT-service.product-SERVICE" }, ...said(400)],
  // Names that this namespace's sidecar does not know go on to the address as they are, past every rule.
  [{ path: "/exact", host: "product-service" }, "passthrough", 200],
  [{ path: "/exact", host: "nowhere.example" }, "passthrough", 200],
];

let folder = "";
test.beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), "naru-model-"))));
const gone = () => kubectl("-n", "product-service", "delete", "--ignore-not-found", "virtualservice", "naru-model");
test.afterAll(async () => {
  await gone();
  await kubectl("-n", "product-service", "delete", "virtualservice,gateways.networking.istio.io", "-l", "naru-model");
  await kubectl("-n", "product-service", "delete", "--ignore-not-found", "peerauthentications.security.istio.io", "naru-model");
  await kubectl("-n", "product-service", "delete", "--ignore-not-found", "destinationrule", "naru-model");
  await kubectl("-n", "product-service", "delete", "--ignore-not-found", "authorizationpolicies.security.istio.io", "naru-model", "naru-model-deny");
  await rm(folder, { recursive: true, force: true });
});

test("rules of a VirtualService take the same requests in the model and in a sidecar", async () => {
  const marker = `/in-force-${Date.now()}`;
  const object = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "naru-model", namespace: "product-service" },
    spec: { hosts: ["product-service"], http: [on({ uri: { exact: marker } }, 299), ...rules] },
  };
  const file = join(folder, "route.json");
  await writeFile(file, JSON.stringify(object));
  await kubectl("apply", "-f", file);
  await expect.poll(async () => (await really([{ path: marker }]))[0], { timeout: 20_000 }).toBe(299);

  const asks = cases.map(([ask]) => ask);
  const [model, real] = [await predicted(asks), await really(asks)];
  const told = cases.map(([ask, reason, status], i) => ({ ask, expected: [reason, status], got: [model[i], real[i]] }));
  expect(told.filter(({ expected, got }) => String(expected) !== String(got))).toEqual([]);
});

// Who is let in: `gateway` comes by mutual TLS as default/sangsang-plus-gateway, `batch` in plaintext and so without an identity.
type Let = [ask: Ask, gateway: "allow" | "deny", batch: "allow" | "deny"];

const operation = (operation: object, more: object = {}) => ({ to: [{ operation }], ...more });
const GATEWAY = "cluster.local/ns/default/sa/sangsang-plus-gateway";

const allowed = [
  operation({ paths: ["/exact"] }),
  operation({ paths: ["/prefix/*"] }),
  operation({ paths: ["*.suffix"] }),
  operation({ paths: ["/template/{*}/end"] }),
  operation({ paths: ["/templates/{**}"] }),
  operation({ paths: ["/methods"], methods: ["POST"] }),
  operation({ paths: ["/not-methods"], notMethods: ["POST"] }),
  operation({ paths: ["/hosts"], hosts: ["only.example", "*.wild.example"] }),
  operation({ paths: ["/not-hosts"], notHosts: ["only.example"] }),
  operation({ paths: ["/ports"], ports: ["1"] }),
  operation({ paths: ["/principals"] }, { from: [{ source: { principals: [GATEWAY] } }] }),
  operation({ paths: ["/principal-prefix"] }, { from: [{ source: { principals: ["cluster.local/ns/default/*"] } }] }),
  operation({ paths: ["/principal-any"] }, { from: [{ source: { principals: ["*"] } }] }),
  operation({ paths: ["/not-principals"] }, { from: [{ source: { notPrincipals: [GATEWAY] } }] }),
  operation({ paths: ["/namespaces"] }, { from: [{ source: { namespaces: ["default"] } }] }),
  operation({ paths: ["/not-namespaces"] }, { from: [{ source: { notNamespaces: ["default"] } }] }),
  operation({ paths: ["/blocks"] }, { from: [{ source: { ipBlocks: ["192.0.2.0/24"] } }] }),
  operation({ paths: ["/not-blocks"] }, { from: [{ source: { notIpBlocks: ["192.0.2.0/24"] } }] }),
  operation({ paths: ["/header"] }, { when: [{ key: "request.headers[x-k]", values: ["a*"] }] }),
  operation({ paths: ["/not-header"] }, { when: [{ key: "request.headers[x-k]", notValues: ["a"] }] }),
  operation({ paths: ["/token"] }, { from: [{ source: { requestPrincipals: ["*"] } }] }),
  operation({ paths: ["/denied", "/denied-anonymous", "/UPPER"] }),
];
const denied = [operation({ paths: ["/denied"] }), operation({ paths: ["/denied-anonymous"] }, { from: [{ source: { notPrincipals: ["*"] } }] })];

const lets: Let[] = [
  [{ path: "/exact" }, "allow", "allow"],
  [{ path: "/exact?x=1" }, "allow", "allow"],
  [{ path: "/exact/" }, "deny", "deny"],
  [{ path: "/nothing" }, "deny", "deny"],
  [{ path: "/prefix/a" }, "allow", "allow"],
  [{ path: "/prefix" }, "deny", "deny"],
  [{ path: "/a/b.suffix" }, "allow", "allow"],
  [{ path: "/template/x/end" }, "allow", "allow"],
  [{ path: "/template/x/y/end" }, "deny", "deny"],
  [{ path: "/templates/x/y" }, "allow", "allow"],
  [{ path: "/methods", method: "POST" }, "allow", "allow"],
  [{ path: "/methods" }, "deny", "deny"],
  [{ path: "/not-methods" }, "allow", "allow"],
  [{ path: "/not-methods", method: "POST" }, "deny", "deny"],
  [{ path: "/hosts" }, "deny", "deny"],
  [{ path: "/not-hosts" }, "allow", "allow"],
  [{ path: "/ports" }, "deny", "deny"],
  [{ path: "/principals" }, "allow", "deny"],
  [{ path: "/principal-prefix" }, "allow", "deny"],
  [{ path: "/principal-any" }, "allow", "deny"],
  [{ path: "/not-principals" }, "deny", "allow"],
  [{ path: "/namespaces" }, "allow", "deny"],
  [{ path: "/not-namespaces" }, "deny", "allow"],
  [{ path: "/blocks" }, "deny", "deny"],
  [{ path: "/not-blocks" }, "allow", "allow"],
  [{ path: "/header", headers: { "x-k": "abc" } }, "allow", "allow"],
  [{ path: "/header", headers: { "x-k": "b" } }, "deny", "deny"],
  [{ path: "/header" }, "deny", "deny"],
  [{ path: "/not-header", headers: { "x-k": "b" } }, "allow", "allow"],
  [{ path: "/not-header", headers: { "x-k": "a" } }, "deny", "deny"],
  [{ path: "/not-header" }, "allow", "allow"],
  [{ path: "/token" }, "deny", "deny"],
  [{ path: "/denied" }, "deny", "deny"],
  [{ path: "/denied-anonymous" }, "allow", "deny"],
  [{ path: "/UPPER" }, "allow", "allow"],
  [{ path: "/upper" }, "deny", "deny"],
];

test("authorization lets the same requests in, in the model and in a sidecar, with an identity and without", async () => {
  await gone();
  const selector = { matchLabels: { app: "product-service" } };
  const marker = `/in-force-${Date.now()}`;
  const policy = (name: string, spec: object) => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace: "product-service" },
    spec: { selector, ...spec },
  });
  // The lab's own traffic goes on: it asks for /products/.
  const rules = [operation({ paths: ["/products/*", marker] }), ...allowed];
  const file = join(folder, "policies.json");
  const items = [policy("naru-model", { action: "ALLOW", rules }), policy("naru-model-deny", { action: "DENY", rules: denied })];
  await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl("apply", "-f", file);
  const callers = { gateway: ["default", "sangsang-plus-gateway"], batch: ["batch", "stock-batch"] } as const;
  for (const [namespace, app] of Object.values(callers)) {
    // Each pooled connection serves one more request by the old policies.
    const refused = async () => (await really(Array(5).fill({ path: `${marker}-not` }), namespace, app)).every((it) => it === 403);
    await expect.poll(refused, { timeout: 20_000 }).toBe(true);
    expect(await really([{ path: marker }], namespace, app)).toEqual([200]);
  }
  const asks = lets.map(([ask]) => ask);
  const verdict = (status: number) => (status === 200 ? "allow" : status === 403 ? "deny" : String(status));
  const of = async (name: keyof typeof callers) => {
    const real = (await really(asks, ...callers[name])).map(verdict);
    return { model: await decided(asks, name === "gateway" ? GATEWAY : "", callers[name]), real };
  };
  const [gateway, batch] = [await of("gateway"), await of("batch")];
  const told = lets.map(([ask, ...expected], i) => ({ ask, expected, model: [gateway.model[i], batch.model[i]], real: [gateway.real[i], batch.real[i]] }));
  expect(told.filter(({ expected, model, real }) => String(model) !== String(expected) || String(real) !== String(expected))).toEqual([]);
});

// At the gateway: two VirtualServices on one host, a wildcard beside it, a server that redirects, one whose hosts are of another namespace.
const EDGE = "naru-model.example";
const bound = (name: string, host: string, http: object[]): object => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: `naru-edge-${name}`, namespace: "product-service", labels: { "naru-model": "" } },
  spec: { hosts: [host], gateways: ["naru-edge"], http },
});
const edges: object[] = [
  {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "naru-edge", namespace: "product-service", labels: { "naru-model": "" } },
    spec: {
      selector: { istio: "ingressgateway" },
      servers: [
        { port: { number: 80, name: "http", protocol: "HTTP" }, hosts: [EDGE, `*.${EDGE}`, `istio-system/elsewhere.${EDGE}x`] },
        { port: { number: 80, name: "http-moved", protocol: "HTTP" }, hosts: [`moved.${EDGE}x`], tls: { httpsRedirect: true } },
      ],
    },
  },
  bound("a", EDGE, [on({ uri: { prefix: "/a" } }, 460), direct(461)]),
  bound("b", EDGE, [on({ uri: { prefix: "/b" } }, 462), on({ uri: { prefix: "/port" }, port: 8080 }, 463), on({ uri: { prefix: "/port" }, port: 80 }, 464)]),
  bound("wild", `*.${EDGE}`, [on({ uri: { prefix: "/w" } }, 465), on({ uri: { prefix: "/mesh" }, gateways: ["mesh"] }, 466)]),
  bound("exact", `exact.${EDGE}`, [on({ uri: { prefix: "/e" } }, 467), to("/products", { host: "product-service" })]),
  bound("other", `elsewhere.${EDGE}x`, [direct(468)]),
  bound("moved", `moved.${EDGE}x`, [direct(469)]),
];
const passed: Case[] = [
  [{ path: "/a" }, ...said(460)],
  [{ path: "/b" }, ...said(462)],
  [{ path: "/port" }, ...said(464)],
  // The older one's rule for everything comes after the younger one's rules.
  [{ path: "/else" }, ...said(461)],
  [{ path: "/a", host: `${EDGE}:80` }, ...said(460)],
  [{ path: "/w", host: `any.${EDGE}` }, ...said(465)],
  [{ path: "/w", host: `two.levels.${EDGE}` }, ...said(465)],
  [{ path: "/mesh", host: `any.${EDGE}` }, ...none],
  [{ path: "/e", host: `exact.${EDGE}` }, ...said(467)],
  // An exact host does not fall back to the wildcard's rules.
  [{ path: "/w", host: `exact.${EDGE}` }, ...none],
  // The service's only port stands for the one that is not written.
  [{ path: "/products/1", host: `exact.${EDGE}` }, "routed", 200],
  [{ path: "/", host: `elsewhere.${EDGE}x` }, "404 no virtual host", 404],
  [{ path: "/", host: "nobody.example" }, "404 no virtual host", 404],
  [{ path: "/", host: `moved.${EDGE}x` }, "redirect 301", 301],
];

test("a gateway takes the same requests in the model and really", async () => {
  const pod = JSON.parse(await kubectl("-n", "istio-system", "get", "pods", "-l", "istio=ingressgateway", "-o", "json")).items[0];
  const file = join(folder, "edges.json");
  // One after the other: the older one wins, to the second.
  for (const object of edges) {
    await writeFile(file, JSON.stringify(object));
    await kubectl("apply", "-f", file);
    if (JSON.stringify(object).includes("naru-edge-a")) await new Promise((done) => setTimeout(done, 1_100));
  }
  const really = (asks: Ask[]) => Promise.all(asks.map((ask) => atGateway(pod.status.podIP, ask)));
  const last = passed[passed.length - 1];
  await expect.poll(async () => (await really([last[0]]))[0], { timeout: 20_000 }).toBe(last[2]);
  const asks = passed.map(([ask]) => ask);
  const gateway = { namespace: "istio-system", labels: pod.metadata.labels };
  const model = (await whatIf("route", asks.map((ask) => ({ host: EDGE, port: 80, gateway, ...ask })))).map((it) => it.reason);
  const real = await really(asks);
  const told = passed.map(([ask, reason, status], i) => ({ ask, expected: [reason, status], got: [model[i], real[i]] }));
  expect(told.filter(({ expected, got }) => String(expected) !== String(got))).toEqual([]);
});

async function atGateway(address: string, { path, host = EDGE }: Ask): Promise<number> {
  const args = ["-s", "-o", "/dev/null", "-m", "5", "-w", "%{http_code}", "-H", `Host: ${host}`, `http://${address}:8080${path}`];
  return Number((await promisify(execFile)("curl", args)).stdout);
}

// Both ends of a connection: what the called side demands, what a DestinationRule makes callers do, how each caller fares. Neighbours differ,
// so that what is still in force from before cannot pass for what was just set.
type Fares = "mutual" | "plaintext" | "refused";
const handshakes: [mode: string, rule: string | undefined, gateway: Fares, batch: Fares][] = [
  ["STRICT", undefined, "mutual", "refused"],
  ["PERMISSIVE", "DISABLE", "plaintext", "plaintext"],
  ["STRICT", "DISABLE", "refused", "refused"],
  ["PERMISSIVE", undefined, "mutual", "plaintext"],
  ["DISABLE", "ISTIO_MUTUAL", "refused", "plaintext"],
  // Without a rule callers heed what the called side says.
  ["DISABLE", undefined, "plaintext", "plaintext"],
];

test("mutual TLS: the model says which callers are refused, and they are", async () => {
  await gone();
  const meta = { name: "naru-model", namespace: "product-service" };
  const file = join(folder, "handshake.json");
  for (const [mode, rule, ...expected] of handshakes) {
    await test.step(`${mode}, ${rule ?? "no rule"}`, async () => {
      const selector = { matchLabels: { app: "product-service" } };
      const demanded = { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata: meta, spec: { selector, mtls: { mode } } };
      const tls = rule && { trafficPolicy: { tls: { mode: rule } } };
      const made = { apiVersion: "networking.istio.io/v1", kind: "DestinationRule", metadata: meta, spec: { host: "product-service", ...tls } };
      await writeFile(file, JSON.stringify({ apiVersion: "v1", kind: "List", items: [demanded, made] }));
      await kubectl("apply", "-f", file);
      const works = async (namespace: string, app: string) => (await really(Array(3).fill({ path: "/products/1" }), namespace, app)).every((it) => it === 200);
      const real = async () => [await works("default", "sangsang-plus-gateway"), await works("batch", "stock-batch")];
      await expect.poll(real, { timeout: 30_000 }).toEqual(expected.map((it) => it !== "refused"));
      expect([await explained("default/sangsang-plus-gateway"), await explained("batch/stock-batch")]).toEqual(expected);
    });
  }
});

/** How the only workload behind product-service takes a caller, as `naru why` says it. */
async function explained(from: string): Promise<string> {
  const kubeconfig = process.env.NARU_LAB_NARU_KUBECONFIG ?? process.env.NARU_LAB_KUBECONFIG ?? "";
  const args = ["why", "--kubeconfig", kubeconfig, "--from", from, "--output", "json", "GET", `http://${HOST}:${PORT}/products/1`];
  const { stdout } = await promisify(execFile)(process.env.NARU_BIN ?? "", args);
  return JSON.parse(stdout).legs[0].ends[0].tls;
}

/** What the model decides for a caller. */
async function decided(asks: Ask[], principal: string, [namespace, app]: readonly [string, string]): Promise<string[]> {
  const pod = async (namespace: string, app: string) =>
    JSON.parse(await kubectl("-n", namespace, "get", "pods", "-l", `app=${app}`, "-o", "json")).items[0];
  const [source, server] = [await pod(namespace, app), await pod("product-service", "product-service")];
  const who = { mtls: principal !== "", principal, namespace, sourceIp: source.status.podIP };
  const where = { destination: { namespace: "product-service", labels: server.metadata.labels }, destinationIp: server.status.podIP, destinationPort: PORT };
  const answers = await whatIf("authz", asks.map((ask) => ({ host: HOST, ...who, ...where, ...ask })));
  return answers.map((it) => it.decision);
}

/** What the model says, by the cluster's own objects. */
async function predicted(asks: Ask[]): Promise<string[]> {
  const answers = await whatIf("route", asks.map((ask) => ({ host: HOST, port: PORT, caller: CALLER, ...ask })));
  return answers.map((it) => it.reason);
}

/** The answers of `naru what-if` by the cluster's own objects. */
async function whatIf(about: "route" | "authz", requests: object[]): Promise<{ reason: string; decision: string }[]> {
  const kinds = ["pods", "services", "virtualservices.networking.istio.io", "gateways.networking.istio.io", "ingresses", "destinationrules", "envoyfilters", "sidecars", "serviceentries"];
  const policies = ["authorizationpolicies.security.istio.io", "requestauthentications.security.istio.io"];
  const objects = JSON.parse(await kubectl("get", [...kinds, ...policies].join(","), "-A", "-o", "json"));
  objects.items.push(JSON.parse(await kubectl("-n", "istio-system", "get", "configmap", "istio", "-o", "json")));
  const [objectsFile, requestsFile] = [join(folder, "objects.json"), join(folder, "requests.json")];
  await writeFile(objectsFile, JSON.stringify(objects));
  await writeFile(requestsFile, JSON.stringify(requests));
  const args = ["what-if", about, "-f", objectsFile, "--requests", requestsFile];
  const { stdout } = await promisify(execFile)(process.env.NARU_BIN ?? "", args, { maxBuffer: 32 << 20 });
  return JSON.parse(stdout);
}

/** The status of each, asked from inside the caller's pod, through its sidecar if it has one. */
async function really(asks: Ask[], namespace = CALLER.namespace, app = CALLER.labels.app): Promise<number[]> {
  const pods = JSON.parse(await kubectl("-n", namespace, "get", "pods", "-l", `app=${app}`, "-o", "json")).items;
  const address = JSON.parse(await kubectl("-n", "product-service", "get", "service", "product-service", "-o", "json")).spec.clusterIP;
  const lines = asks.map(({ path, method = "GET", host = HOST, headers = {} }) => {
    const named = Object.entries({ Host: host, ...headers }).map(([name, value]) => `-H '${name}: ${value}'`);
    return `curl -s -o /dev/null -m 5 --path-as-is -w '%{http_code}\\n' -X ${method} ${named.join(" ")} 'http://${address}:${PORT}${path}'`;
  });
  const out = await kubectl("-n", namespace, "exec", pods[0].metadata.name, "-c", "app", "--", "sh", "-c", [...lines, "true"].join("\n"));
  return out.trim().split("\n").map(Number);
}

// What a gateway does with a request: expected, by the model, really. Expectations were written before either was asked.
import { expect, test } from "../../../fixtures/console.ts";
import { kubectl, ours } from "../../../fixtures/lab.ts";
import { type Ask, type Case, apply, clear, direct, none, on, run, said, to, whatIf } from "../../../fixtures/model.ts";

test.skip(!ours, "objects of the lab's system are made and unmade");
test.beforeEach(clear);
test.afterAll(clear);

interface Made {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: object;
}

// Two VirtualServices on one host, a wildcard beside it, a server that redirects, one whose hosts are of another namespace.
const EDGE = "naru-model.example";
const bound = (name: string, host: string, http: object[]): Made => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: `naru-edge-${name}` },
  spec: { hosts: [host], gateways: ["naru-edge"], http },
});
const edges: Made[] = [
  {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "naru-edge" },
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
  // One after the other: the older one wins, to the second.
  for (const object of edges) {
    await apply(object);
    if (object.metadata.name === "naru-edge-a") await new Promise((done) => setTimeout(done, 1_100));
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
  return Number((await run("curl", args)).stdout);
}

// Who is let in: expected, by the model, by a sidecar; with an identity and without. Expectations were written before either was asked.
import { expect, test } from "../../../fixtures/console.ts";
import { kubectl, ours } from "../../../fixtures/lab.ts";
import { type Ask, HOST, NAME, PORT, apply, clear, really, whatIf } from "../../../fixtures/model.ts";

test.skip(!ours, "objects of the lab's system are made and unmade");
test.beforeEach(clear);
test.afterAll(clear);

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
  const selector = { matchLabels: { app: "product-service" } };
  const marker = `/in-force-${Date.now()}`;
  const policy = (name: string, spec: object) => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name },
    spec: { selector, ...spec },
  });
  // The lab's own traffic goes on: it asks for /products/.
  const rules = [operation({ paths: ["/products/*", marker] }), ...allowed];
  await apply(policy(NAME, { action: "ALLOW", rules }), policy(`${NAME}-deny`, { action: "DENY", rules: denied }));
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

// Mutual TLS between two ends: expected, by `naru why`, really. Expectations were written before either was asked.
import { expect, test } from "../../../fixtures/console.ts";
import { ours } from "../../../fixtures/lab.ts";
import { HOST, NAME, PORT, apply, clear, really, run } from "../../../fixtures/model.ts";

test.skip(!ours, "objects of the lab's system are made and unmade");
test.beforeEach(clear);
test.afterAll(clear);

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
  const metadata = { name: NAME };
  for (const [mode, rule, ...expected] of handshakes) {
    await test.step(`${mode}, ${rule ?? "no rule"}`, async () => {
      const selector = { matchLabels: { app: "product-service" } };
      const demanded = { apiVersion: "security.istio.io/v1", kind: "PeerAuthentication", metadata, spec: { selector, mtls: { mode } } };
      const tls = rule && { trafficPolicy: { tls: { mode: rule } } };
      const made = { apiVersion: "networking.istio.io/v1", kind: "DestinationRule", metadata, spec: { host: "product-service", ...tls } };
      await apply(demanded, made);
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
  const { stdout } = await run(process.env.NARU_BIN ?? "", args);
  return JSON.parse(stdout).legs[0].ends[0].tls;
}

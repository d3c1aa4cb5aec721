// The graph beside what really goes over the wire.
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "../../fixtures/console.ts";
import { edges, kubectl, live, load, much, ours, rate, type Topology } from "../../fixtures/lab.ts";

test.skip(!ours, "what is expected is the lab's own system");
test.describe.configure({ mode: "serial" });

const MEASURED = [
  "istio-ingressgateway → sangsang-plus-gateway",
  "sangsang-plus-gateway → product-service",
  "sangsang-plus-gateway → user-service-v1",
  "sangsang-plus-gateway → user-service-v2",
  "? → product-service",
];

test("the edges are those of the traffic, no more and no fewer", async ({ server, page, visit }) => {
  await rate(60);
  const seen = async () => {
    const all = edges(await live<Topology>(server, "topology"));
    return [...all].filter(([, edge]) => edge.origin === "metrics" && (edge.rate ?? 0) > 0).map(([name]) => name);
  };
  await expect.poll(async () => (await seen()).sort(), { timeout: 90_000 }).toEqual([...MEASURED].sort());
  const topology = await live<Topology>(server, "topology");
  const all = edges(topology);
  const inferred = [...all].filter(([, edge]) => edge.origin === "ingress-object").map(([name]) => name);
  expect(inferred).toEqual(["ingress-nginx-controller → istio-ingressgateway"]);
  expect(all.get("sangsang-plus-gateway → user-service-v1")?.mtls_share).toBe(1);
  expect(all.get("? → product-service")?.mtls_share).toBe(0);
  const unknown = topology.nodes.find((node) => node.kind === "unknown");
  expect(unknown?.candidates).toContain("batch/stock-batch");
  await visit("/topology");
  for (const name of ["istio-ingressgateway", "sangsang-plus-gateway", "product-service"]) {
    await expect(page.getByRole("table").getByText(name).first()).toBeAttached();
  }
});

const seconds = much(120, 300);

test(`over ${seconds / 60} minutes each edge's count is the load generator's, within 1 % and one scrape`, async () => {
  test.setTimeout(420_000);
  await rate(60);
  const before = await load();
  const started = Date.now();
  // The counters of the proxies are read by Prometheus every five seconds: the window that ends now ends up to that much earlier.
  await sleep(seconds * 1000);
  const after = await load();
  const elapsed = (Date.now() - started) / 1000;
  const { NARU_BIN, NARU_LAB_PROMETHEUS } = process.env;
  const { stdout } = await promisify(execFile)(NARU_BIN as string, [
    ...["graph", "--output", "json", "--prometheus", NARU_LAB_PROMETHEUS as string, "--window", `${seconds}s`],
  ]);
  const graph = JSON.parse(stdout) as { edges: { source: string; target: string; reporter: string; rate: number }[] };
  const count = (source: string, target: string) =>
    graph.edges
      .filter((edge) => edge.reporter === "source" && edge.source.endsWith(source) && edge.target.endsWith(target))
      .reduce((sum, edge) => sum + edge.rate * seconds, 0);
  const sent = (path: string, version?: string) => {
    const of = (it: typeof before) => (version ? it.paths[path].by_version[version] : it.paths[path].answered);
    return ((of(after) - of(before)) * seconds) / elapsed;
  };
  const table = [
    ["istio-ingressgateway", "sangsang-plus-gateway", sent("/users/") + sent("/products/")],
    ["sangsang-plus-gateway", "user-service-v1", sent("/users/", "v1")],
    ["sangsang-plus-gateway", "user-service-v2", sent("/users/", "v2")],
    ["sangsang-plus-gateway", "product-service", sent("/products/")],
  ] as const;
  for (const [source, target, expected] of table) {
    const scrape = (expected / seconds) * Number(process.env.NARU_LAB_SCRAPE_INTERVAL?.replace("s", "") ?? 5);
    const measured = count(source, target);
    console.log(`${source} → ${target}: ${measured.toFixed(0)} measured, ${expected.toFixed(0)} sent`);
    // Rates are rounded to three significant digits before they leave, which is half a per cent at most.
    expect(Math.abs(measured - expected), `${source} → ${target}`).toBeLessThanOrEqual(expected * 0.01 + scrape);
  }
});

test("a caller that stops ages out, and does not vanish", async ({ server }) => {
  await kubectl("-n", "batch", "scale", "deployment/stock-batch", "--replicas=0");
  try {
    const edge = async () => edges(await live<Topology>(server, "topology")).get("? → product-service");
    await expect.poll(async () => (await edge())?.health, { timeout: 150_000, intervals: [2_000] }).toBe("idle");
    const quiet = await edge();
    expect(quiet?.rate).toBe(0);
    expect(quiet?.last_seen).not.toBeNull();
    expect(Date.now() - (quiet?.last_seen ?? 0)).toBeLessThan(180_000);
  } finally {
    await kubectl("-n", "batch", "scale", "deployment/stock-batch", "--replicas=1");
  }
});

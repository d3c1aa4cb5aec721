// The Spring Cloud Gateway itself in its stand-in's place: what it does with tokens of the real Keycloak, and what is seen of it.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "../../fixtures/console.ts";
import { type Topology, edges, front, gateway, live, rate, wanted } from "../../fixtures/lab.ts";

const run = promisify(execFile);

test.use({ world: "lab" });

test.beforeAll(async () => {
  // The load generator has no token.
  await rate(0);
  await gateway("spring");
});

test.afterAll(async () => {
  await gateway("stand-in");
  await rate(60);
});

test("nobody passes without a token, whoever has one does, and the call is on the graph", async ({ server, page, visit }) => {
  const token = await accessToken("viewer");
  expect((await front("/users/")).status, "without a token").toBe(401);
  expect((await front("/users/", `${token.slice(0, -8)}AAAAAAAA`)).status, "with a signature that is not Keycloak's").toBe(401);
  const answer = await front("/users/", token);
  expect(answer.status).toBe(200);
  expect(answer.headers["x-app-version"], "it came to a real service behind the gateway").toMatch(/^v[12]$/);

  // The stand-in refuses nobody, so that both codes on one edge are this gateway's.
  const codes = async () => {
    for (let i = 0; i < 20; i++) await front("/users/", i % 2 ? token : undefined);
    return (await graphed()).find((it) => it.source.endsWith("/istio-ingressgateway") && it.target.endsWith("/sangsang-plus-gateway"))?.codes;
  };
  const both = ["200", "401"].map((code) => expect.objectContaining({ code, rate: expect.any(Number) }));
  await expect.poll(codes, { timeout: 60_000, intervals: [1_000] }).toEqual(expect.arrayContaining(both));
  const onwards = async () => edges(await live<Topology>(server, "topology")).get("sangsang-plus-gateway → user-service-v1");
  await expect.poll(async () => (await onwards())?.rate ?? 0, { timeout: 30_000 }).toBeGreaterThan(0);
  expect((await onwards())?.mtls_share, "encrypted by its sidecar").toBe(1);
  await visit("/topology");
  await expect(page.getByRole("table").getByText("sangsang-plus-gateway").first()).toBeAttached();

  // Its own counters come through its proxy's agent.
  const validated = async (result: string) => Number((await query(`sum(jwt_validations_total{result="${result}"})`)) ?? 0);
  await expect.poll(() => validated("success"), { timeout: 30_000, intervals: [1_000] }).toBeGreaterThanOrEqual(11);
  expect(await validated("failure"), "the one with a wrong signature: without a token there is nothing to judge").toBe(1);
  expect(Number(await query('sum(spring_cloud_gateway_requests_seconds_count{routeId="user-service",outcome="SUCCESSFUL"})'))).toBeGreaterThanOrEqual(11);
});

/** By password, as no browser should: the client is there for tests. */
async function accessToken(who: string): Promise<string> {
  const body = new URLSearchParams({ grant_type: "password", client_id: "sangsang-plus", username: who, password: `${who}-pw` });
  const answer = await fetch(`${wanted("NARU_LAB_ISSUER")}/protocol/openid-connect/token`, { method: "POST", body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** What `naru graph` says that callers' proxies saw. */
async function graphed(): Promise<{ source: string; target: string; codes: { code: string; rate: number }[] }[]> {
  const { stdout } = await run(wanted("NARU_BIN"), ["graph", "--output", "json", "--prometheus", wanted("NARU_LAB_PROMETHEUS"), "--window", "60s"]);
  const { edges } = JSON.parse(stdout) as { edges: (Awaited<ReturnType<typeof graphed>>[number] & { reporter: string })[] };
  return edges.filter((it) => it.reporter === "source");
}

async function query(text: string): Promise<string | undefined> {
  const answer = await fetch(`${wanted("NARU_LAB_PROMETHEUS")}/api/v1/query?query=${encodeURIComponent(text)}`);
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
  return data.result[0]?.value[1];
}

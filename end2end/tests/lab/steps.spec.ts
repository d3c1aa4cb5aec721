// A canary that Naru takes through its steps on the real mesh: under load, with a version that fails, and with one that dies unseen.
import { setTimeout as sleep } from "node:timers/promises";
import { begin, steer, phase, weights, set, away } from "../../fixtures/canary.ts";
import { expect, test } from "../../fixtures/console.ts";
import {
  accepted, auditEnd, component, failures, kubectl, load, ours, rate, scaled, stream, streamed, userServiceCounts, withoutRetries,
} from "../../fixtures/lab.ts";

test.skip(!ours, "what is expected is the lab's own system");
test.describe.configure({ mode: "serial" });

const NARU = "system:serviceaccount:naru:naru";

/** Makes all pods of v2 fail so many of 100 requests. */
async function sick(percent: number) {
  const pods = JSON.parse(await kubectl("-n", "user-service", "get", "pods", "-l", "app=user-service,version=v2", "-o", "json"));
  for (const pod of pods.items) {
    await fetch(`http://${pod.status.podIP}:9090/fault?percent=${percent}&status=500&delay_ms=0`, { method: "POST" });
  }
}

test.beforeAll(async () => {
  await away();
  await set(100);
});

test.afterAll(async () => {
  await stream(0, 0);
  await away();
  for (const version of ["v1", "v2"]) await scale(version, 1);
  await set(90);
  await rate(60);
});

interface Pods {
  items: { metadata: { name: string; deletionTimestamp?: string }; status: { conditions?: { type: string; status: string }[] } }[];
}

async function pods(version: string): Promise<Pods["items"]> {
  return JSON.parse(await kubectl("-n", "user-service", "get", "pods", "-l", `app=user-service,version=${version}`, "-o", "json")).items;
}

/** Waits until a version has so many pods, all ready, and none that is still leaving. */
async function settled(version: string, wanted: number) {
  const ready = async () =>
    (await pods(version)).map((it) => !it.metadata.deletionTimestamp && !!it.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"));
  await expect.poll(ready, { timeout: 90_000, message: `pods of ${version}` }).toEqual(Array(wanted).fill(true));
}

async function scale(version: string, replicas: number) {
  await kubectl("-n", "user-service", "scale", `deployment/user-service-${version}`, `--replicas=${replicas}`);
  await settled(version, replicas);
}

/** Replaces the pods of v2 one by one, as a drain of their nodes does. What a rollout is, a canary waits out: ten minutes, which nobody has here. */
async function replace() {
  const all = await pods("v2");
  for (const pod of all) {
    await kubectl("-n", "user-service", "delete", "pod", pod.metadata.name);
    await settled("v2", all.length);
  }
}

async function restart() {
  await kubectl("-n", "user-service", "rollout", "restart", "deployment/user-service-v2");
  await kubectl("-n", "user-service", "rollout", "status", "deployment/user-service-v2", "--timeout=90s");
  await settled("v2", 2);
}

async function reached(canary: number) {
  await expect.poll(weights, { timeout: 180_000, intervals: [500], message: "weights" }).toEqual([100 - canary, canary]);
}

test("step by step to the end, and all the way back to too few pods, while v2 rolls: nothing lost, each move Naru's own and in the journal", async ({ server, page, visit }) => {
  test.setTimeout(480_000);
  await server;
  for (const version of ["v1", "v2"]) await scale(version, 2);
  await withoutRetries(async () => {
    await rate(200);
    await stream(20, 20);
    const [audit, before, streamedBefore] = [await auditEnd(), await load(), await streamed()];
    await begin("well", [10, 25, 50, 100]);
    await visit("/canary/user-service/user-service");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await phase("well", "Dwelling", 60_000);
    for (const canary of [25, 50]) {
      await reached(canary);
      await sleep(3_000);
      await replace();
    }
    const promoted = await phase("well", "Promoted", 300_000);
    console.log("promoted", JSON.stringify(promoted.metrics));
    expect(await weights()).toEqual([0, 100]);
    await sleep(2_000);
    const from = await userServiceCounts();
    await sleep(3_000);
    const to = await userServiceCounts();
    expect(to.v1 - from.v1, "requests that still went to v1").toBe(0);
    expect(to.v2 - from.v2).toBeGreaterThan(100);
    await restart();
    // Whoever has promoted saves pods. On the way back they are asked for before they get requests.
    await scale("v1", 1);
    const rolled = await streamed();
    await steer("well", "abort");
    const back100 = await phase("well", "RolledBack", 90_000);
    console.log("back", JSON.stringify({ why: back100.why, alarm: back100.alarm }));
    expect(await weights()).toEqual([100, 0]);
    await settled("v1", 2);
    await sleep(2_000);
    const back = await streamed();
    await stream(0, 0);
    expect(failures(await load()) - failures(before), "requests lost").toBe(0);

    // Short requests among the streams of one HTTP/2 connection: each answered with 200.
    const [h2, h2Before] = [await quiet(), streamedBefore.h2Requests];
    const short = h2.h2Requests.total.sent - h2Before.total.sent;
    console.log(`HTTP/2: ${short} short requests, ${failures(h2.h2Requests) - failures(h2Before)} lost`);
    expect(short).toBeGreaterThan(1_000);
    expect(failures(h2.h2Requests) - failures(h2Before), "HTTP/2 requests lost").toBe(0);
    for (const kind of ["h2", "webSocket"] as const) {
      const [then, now] = [streamedBefore[kind], h2[kind]];
      const of = (what: "opened" | "refused" | "ended" | "cut" | "sent" | "resent" | "answered" | "lost") => now[what] - then[what];
      console.log(
        `${kind}: ${of("sent")} messages, ${of("answered")} answered, ${of("lost")} lost, ${of("resent")} sent again; ${of("ended")} streams ended by pods that ` +
          `left, ${of("cut")} cut, ${of("refused")} refused; at 100/0 open on ${JSON.stringify(back[kind].open)}`,
      );
      // A pod that leaves answers what it has received and ends its streams: the caller opens another and sends what is unanswered again, so
      // that no message is lost. A stream that is cut would be one that nobody had the chance to end in order.
      expect({ lost: of("lost"), cut: of("cut"), refused: of("refused") }, kind).toEqual({ lost: 0, cut: 0, refused: 0 });
      expect(of("answered"), kind).toBe(of("sent"));
      expect(of("sent"), kind).toBeGreaterThan(1_000);
      // At 50 % it had some: one in a million runs has none of twenty.
      expect(of("ended"), kind).toBeGreaterThan(0);
      // Weights are for what is opened: those that were open when they moved stayed where they were, both ways.
      expect(back[kind].opened - rolled[kind].opened, `${kind}: opened since the last pod left`).toBe(0);
      expect(back[kind].open, kind).toEqual(rolled[kind].open);
    }

    const made = await accepted(audit);
    expect(made.map((it) => [it.user, it.verb])).toEqual(Array(6).fill([NARU, "patch"]));
    const canary = made.map((it) => (it.body as { op: string; path: string; value: number }[]).find((op) => op.op === "replace" && op.path.endsWith("/1/weight"))?.value);
    // On the way back the pod that was left first got what it can carry, and the rest when there were as many as before.
    const part = canary.splice(4, 1)[0] ?? 0;
    expect(canary).toEqual([10, 25, 50, 100, 0]);
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(100);
    const scales = (await scaled(audit)).filter((it) => it.user === NARU);
    expect(scales.map((it) => it.name)).toEqual(["user-service-v1"]);
    expect(Date.parse(scales[0].at), "pods were asked for before all requests went back").toBeLessThan(Date.parse(made[5].at));
    console.log(`on the way back ${100 - part} % at once, the rest ${((Date.parse(made[5].at) - Date.parse(scales[0].at)) / 1000).toFixed(1)} s after pods were asked for`);
  });
});

/** What the streams have come to when nothing is under way any more. */
async function quiet() {
  const rest = async () => {
    const { webSocket, h2, h2Requests } = await streamed();
    const { sent, answered, lost } = h2Requests.total;
    return [webSocket, h2].map((it) => it.opened - it.ended - it.cut - it.closed).concat(sent - answered - lost);
  };
  await expect.poll(rest, { timeout: 15_000, message: "what is open or under way" }).toEqual([0, 0, 0]);
  return streamed();
}

test("a version that fails gets no more requests, by the figures", async ({ server }) => {
  test.setTimeout(300_000);
  await server;
  await away();
  await rate(200);
  await begin("failing", [10, 25, 50, 100], { steps: [10, 25, 50, 100].map((weight) => ({ weight, dwell: "2m", requests: 5000 })) });
  await phase("failing", "Dwelling", 60_000);
  await sleep(30_000);
  const before = await load();
  await sick(20);
  const began = Date.now();
  try {
    const back = await phase("failing", "RolledBack", 150_000);
    const harmed = failures(await load()) - failures(before);
    console.log(`rolled back ${((Date.now() - began) / 1000).toFixed(0)} s after it began to fail, ${harmed} requests harmed: ${JSON.stringify(back.metrics)}`);
    expect(back.why?.map((it) => it.code)).toEqual(["worse"]);
    expect(await weights()).toEqual([100, 0]);
  } finally {
    await sick(0);
  }
});

test("a version that dies while Prometheus is down gets no more requests, by its endpoints alone", async ({ server }) => {
  test.setTimeout(300_000);
  await server;
  await away();
  await begin("dying", [25, 50, 100], { steps: [25, 50, 100].map((weight) => ({ weight, dwell: "5m", requests: 5000 })) });
  await phase("dying", "Dwelling", 60_000);
  const replicas = JSON.parse(await kubectl("-n", "user-service", "get", "deployment", "user-service-v2", "-o", "json")).spec.replicas;
  await component("kill", "prometheus");
  try {
    await kubectl("-n", "user-service", "scale", "deployment/user-service-v2", "--replicas=0");
    const began = Date.now();
    const back = await phase("dying", "RolledBack", 120_000);
    console.log(`rolled back ${((Date.now() - began) / 1000).toFixed(0)} s after it was gone, without Prometheus`);
    expect(back.why?.map((it) => it.code)).toContain("no-ready-pods");
    expect(await weights()).toEqual([100, 0]);
  } finally {
    await component("start", "prometheus");
    await kubectl("-n", "user-service", "scale", "deployment/user-service-v2", `--replicas=${replicas}`);
    await kubectl("-n", "user-service", "rollout", "status", "deployment/user-service-v2", "--timeout=90s");
  }
});

test("steered from its page by keyboard alone; whoever sets the weights by hand stops it, and it says who", async ({ page, visit, a11y }) => {
  test.setTimeout(240_000);
  await visit("/canary/user-service/user-service");
  await away();
  await begin("touched", [10, 50, 100], { steps: [10, 50, 100].map((weight) => ({ weight, dwell: "5m", requests: 5000 })) });
  await phase("touched", "Dwelling", 60_000);
  const heading = page.getByRole("heading", { level: 1 });
  await expect(heading).toContainText("v2 at 10 %, next 50 %", { timeout: 15_000 });
  await a11y.check();
  const dialog = page.getByRole("dialog");
  for (const [verb, said, now] of [["Pause", "v2 paused at 10 %", "Paused"], ["Go on", "v2 at 10 %, next 50 %", "Dwelling"]]) {
    await page.getByRole("button", { name: verb, exact: true }).press("Enter");
    await expect(dialog).toContainText("What will happen");
    await dialog.getByRole("button", { name: verb, exact: true }).press("Enter");
    await expect(dialog).toContainText("The Canary says so now");
    await page.keyboard.press("Escape");
    await phase("touched", now, 60_000);
    await expect(heading).toContainText(said, { timeout: 15_000 });
    await a11y.check();
  }
  await set(60);
  const stopped = await phase("touched", "Stopped", 60_000);
  expect(stopped.alarm).toMatchObject({ code: "touched", args: { by: "kubectl-patch" } });
  await expect(page.getByText("kubectl-patch").first()).toBeVisible({ timeout: 15_000 });
  await a11y.check();
  expect(await weights()).toEqual([60, 40]);
  await set(100);
});

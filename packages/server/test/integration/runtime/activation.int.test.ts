import { afterEach, describe, expect, it } from "vitest";
import { knownEventVersion } from "../../../src/session/upcast.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(options: HarnessOptions): Promise<Harness> {
  harness = await Harness.open(options);
  return harness;
}

async function talk(h: Harness, session: string, content: string, runs = 1): Promise<void> {
  await h.say(session, content);
  await h.finished(session, runs);
}

async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("the activation cache", { timeout: 120_000 }, () => {
  it("keeps 500 thin sessions below its count, least recently used out first", async () => {
    const h = await open({ answer: () => text("ok"), settings: { maxSessions: 100 } });
    const agent = await h.agent();
    const first = await h.session(agent);
    await talk(h, first, "hi");
    for (let batch = 0; batch < 10; batch++) {
      const sessions = await Promise.all(Array.from({ length: 50 }, () => h.session(agent)));
      await Promise.all(sessions.map((session) => talk(h, session, "hi")));
      expect(h.worker.activation.all().length).toBeLessThanOrEqual(100);
    }
    expect(h.worker.activation.get(h.orgId, first)).toBeNull();
    expect(h.worker.activation.stats(false).activations.count).toBeGreaterThanOrEqual(501);
    await talk(h, first, "again", 2);
  });

  it("measures a fat session by what it holds, and evicts by the memory that the process uses", async () => {
    let used = 0;
    const big = "x".repeat(200_000);
    const h = await open({
      answer: () => text(big),
      settings: { memoryLimitBytes: 10_000_000 },
      overrides: { memory: () => ({ heapUsed: used, external: 0, arrayBuffers: 0 }) },
    });
    const agent = await h.agent({ contextWindow: 10_000_000 });
    const sessions = await Promise.all(Array.from({ length: 50 }, () => h.session(agent)));
    await Promise.all(sessions.map((session) => talk(h, session, "hi")));
    await eventually(
      () => h.worker.activation.all().every((actor) => actor.state.run === null && actor.quiet),
      "all quiet",
    );
    const measured = h.worker.activation.stats(false).memory.sessionBytes;
    expect(measured).toBeGreaterThan(50 * 200_000);
    expect(measured).toBeLessThan(50 * 260_000);
    used = 9_000_000;
    const recent = sessions[0] ?? "";
    await talk(h, recent, "hi", 2);
    const kept = h.worker.activation.get(h.orgId, recent);
    if (kept !== null) h.worker.activation.touch(kept);
    await eventually(() => h.worker.activation.all().every((actor) => actor.quiet), "quiet");
    await h.worker.activation.check();
    const left = h.worker.activation.all().length;
    expect(left).toBeLessThanOrEqual(45);
    expect(left).toBeGreaterThan(30);
    expect(h.worker.activation.get(h.orgId, recent)).not.toBeNull();
  });

  it("keeps no session that it gave back and whose sandbox could not be let go of: its next message is taken", async () => {
    const h = await open({ answer: () => text("ok") });
    const session = await h.session(await h.agent());
    await talk(h, session, "hi");
    const { sandboxes } = h.context;
    const release = sandboxes.release.bind(sandboxes);
    Object.assign(sandboxes, { release: () => Promise.reject(new Error("its host does not answer")) });
    const actor = h.worker.activation.get(h.orgId, session);
    await eventually(() => actor?.quiet === true, "quiet");
    if (actor !== null) await h.worker.activation.evict(actor, "asked").catch(() => {});
    Object.assign(sandboxes, { release });
    expect(h.worker.activation.get(h.orgId, session)).toBeNull();
    await talk(h, session, "again", 2);
  });

  it("does not ask the store to take back a session of which it knows that inputs wait", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => (await gate, { ok: true, content: "done" }));
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("ok")),
      tools: [slow],
      settings: { concurrency: 1, maxSessions: 2, fairShare: false },
    });
    const { system } = h.context.store;
    const release = system.release.bind(system);
    let asked = 0;
    Object.assign(system, { release: (...held: Parameters<typeof release>) => (asked++, release(...held)) });
    const agent = await h.agent({ tools: ["slow"] });
    const [runs, inLine] = [await h.session(agent), await h.session(agent)];
    await h.say(runs, "hi");
    await h.until(runs, (events) => events.some(({ type }) => type === "agent.tool_use"));
    await h.say(inLine, "hi");
    const standing = () => h.worker.activation.get(h.orgId, inLine);
    await eventually(() => standing()?.mailbox.length === 1 && standing()?.quiet === true, "stands in line");
    await h.worker.activation.check();
    expect(asked).toBe(0);
    expect(standing()).not.toBeNull();
    go();
    await h.finished(inLine);
  });

  it("lets go of an idle session that another worker took, and of one that was deleted", async () => {
    const h = await open({ answer: () => text("ok") });
    const agent = await h.agent();
    const [taken, deleted] = [await h.session(agent), await h.session(agent)];
    await Promise.all([talk(h, taken, "hi"), talk(h, deleted, "hi")]);
    await eventually(() => h.worker.activation.all().every((actor) => actor.quiet), "quiet");
    const { store } = h.context;
    const { orgId } = h;
    await store.system.heartbeat("wrk_other");
    const wanted = { orgId, sessionId: taken, workerId: "wrk_other", knownEventVersion };
    expect(await store.system.claim({ ...wanted, leaseMs: -60_000 })).toMatchObject({ ok: true });
    await store.org(orgId).deleteSession(deleted);
    for (const actor of h.worker.activation.all()) await h.worker.activation.evict(actor, "asked");
    await eventually(() => h.worker.activation.all().length === 0, "gone");
  });

  it("never evicts a session that runs, and stops claiming when nothing can go (I13)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => (await gate, { ok: true, content: "done" }));
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("ok")),
      tools: [slow],
      settings: { maxSessions: 3 },
    });
    const agent = await h.agent({ tools: ["*"] });
    const busy = await Promise.all(Array.from({ length: 3 }, () => h.session(agent)));
    for (const session of busy) await h.say(session, "hi");
    await eventually(
      () => h.worker.activation.all().filter((actor) => actor.running).length === 3,
      "three run",
    );
    const fourth = await h.session(agent);
    await h.say(fourth, "hi");
    await eventually(() => !h.worker.activation.stats(false).claiming, "stops claiming");
    await h.worker.activation.check();
    expect(
      h.worker.activation
        .all()
        .map((actor) => actor.held.sessionId)
        .toSorted(),
    ).toEqual(busy.toSorted());
    go();
    for (const session of [...busy, fourth]) await h.finished(session);
  });

  it("lets a session that only waits hibernate; its decision wakes it (I13)", async () => {
    const act = testTool("act", () => ({ ok: true, content: "acted" }), { effect: "once" });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["act", {}]) : text("ok")),
      tools: [act],
    });
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    await eventually(() => h.worker.activation.all().every((actor) => actor.quiet), "quiet");
    const actor = h.worker.activation.get(h.orgId, session);
    if (actor === null) throw new Error("not live");
    expect(await h.worker.activation.evict(actor, "asked")).toBe(true);
    const [pending] = (await h.context.store.org(h.orgId).listApprovals({ limit: 10, status: "pending" }))
      .items;
    await h.send(
      session,
      { type: "user.approval", approvalId: pending?.id ?? "", decision: "allow" },
      "control",
    );
    await h.finished(session);
  });

  it("puts out what is idle for longer than its time", async () => {
    const h = await open({ answer: () => text("ok"), settings: { idleTtlMs: 0 } });
    const session = await h.session(await h.agent());
    await talk(h, session, "hi");
    await eventually(async () => {
      await h.worker.activation.check();
      return h.worker.activation.all().length === 0;
    }, "put out");
    expect((await h.context.store.session(h.orgId, session).find())?.holder).toBeNull();
  });

  it("runs no more at once than its slots, and lets waiting runs give theirs back", async () => {
    let most = 0;
    let now = 0;
    const slow = testTool("slow", async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return { ok: true, content: "done" };
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("ok")),
      tools: [slow],
      settings: { concurrency: 2 },
    });
    const agent = await h.agent({ tools: ["*"] });
    const sessions = await Promise.all(Array.from({ length: 12 }, () => h.session(agent)));
    await Promise.all(sessions.map((session) => talk(h, session, "hi")));
    expect(most).toBeLessThanOrEqual(2);
  });
});

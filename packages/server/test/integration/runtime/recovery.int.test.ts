import { afterEach, describe, expect, it } from "vitest";
import { pause, systemClock } from "../../../src/lib/clock.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import { Worker } from "../../../src/runtime/worker.ts";
import type { Store } from "../../../src/store/store.ts";
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

/** The worker ends in the middle of what it does and writes nothing more; another one starts. */
async function replaceWorker(h: Harness): Promise<void> {
  await h.worker.stop(0);
  h.worker = new Worker(h.context);
  await h.worker.start();
}

describe("after a worker's end", () => {
  it("seals a started call of effect once, tells the model, and never starts it again (I6)", async () => {
    let starts = 0;
    const hang = testTool("hang", () => ((starts += 1), new Promise(() => undefined)), { effect: "once" });
    const h = await open({
      answer: (call) =>
        turnOf(call) === 0 ? calls(["hang", {}]) : text(JSON.stringify(call.request.messages.at(-1))),
      tools: [hang],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "agent.tool_started") && starts === 1);
    await replaceWorker(h);
    const log = await h.finished(session);
    expect(starts).toBe(1);
    expect(log.find((event) => event.type === "session.resumed")).toMatchObject({
      data: { strategy: "seal" },
    });
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({
      data: { errorType: "interrupted", sealed: true },
    });
    const answer = log.findLast((event) => event.type === "agent.message");
    expect(answer?.type === "agent.message" && answer.data.text).toContain("interrupted");
  });

  it("runs a pure call again and finishes the run once (I4)", async () => {
    let starts = 0;
    const flaky = testTool("flaky", () => {
      starts += 1;
      return starts === 1 ? new Promise(() => undefined) : { ok: true, content: "second time" };
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["flaky", {}]) : text("ok")),
      tools: [flaky],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, () => starts === 1);
    await replaceWorker(h);
    const log = await h.finished(session);
    expect(starts).toBe(2);
    expect(log.filter((event) => event.type === "run.finished")).toHaveLength(1);
  });

  it("still waits for an approval, costs nothing meanwhile, and goes on when it is decided", async () => {
    const act = testTool("act", () => ({ ok: true, content: "acted" }), { effect: "once" });
    const h = await open({
      answer: (call) =>
        turnOf(call) === 0 && call.request.tools.length > 0 ? calls(["act", {}]) : text("ok"),
      tools: [act],
    });
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    await replaceWorker(h);
    expect(h.worker.activation.all()).toHaveLength(0);
    const [pending] = (await h.context.store.org(h.orgId).listApprovals({ limit: 10, status: "pending" }))
      .items;
    await h.send(
      session,
      { type: "user.approval", approvalId: pending?.id ?? "", decision: "allow" },
      "control",
    );
    const log = await h.finished(session);
    expect(log.filter((event) => event.type === "session.resumed")).toHaveLength(0);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
  });

  it("fires an approval's time limit from the store", async () => {
    const act = testTool("act", () => ({ ok: true, content: "acted" }), { effect: "once" });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["act", {}]) : text("ok")),
      tools: [act],
    });
    const agent = await h.agent({
      tools: ["*"],
      permissions: { mode: "approval", approvalTimeoutMs: 1_000 },
    });
    const session = await h.session(agent);
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    await replaceWorker(h);
    const log = await h.finished(session);
    expect(log.find((event) => event.type === "approval.expired")).toBeDefined();
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({
      data: { errorType: "denied" },
    });
  });

  it("ends a run that kills its worker three times, as quarantined", async () => {
    const hang = testTool("hang", () => new Promise(() => undefined));
    const h = await open({ answer: () => calls(["hang", {}]), tools: [hang] });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "agent.tool_use"));
    await h.worker.stop(0);
    for (let claim = 0; claim < 2; claim++) {
      const dead = { workerId: `wrk_dead${claim}`, leaseMs: 6_000, knownEventVersion: 1 };
      expect(
        await h.context.store.system.claim({ orgId: h.orgId, sessionId: session, ...dead }),
      ).toMatchObject({ ok: true });
    }
    h.worker = new Worker(h.context);
    await h.worker.start();
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "quarantined" } });
    await h.say(session, "still there?");
    await h.until(session, (events) => events.filter((event) => event.type === "run.started").length === 2);
  });

  it("leaves a run alone that waits for a decision while a message waits for it, however often its worker died", async () => {
    const act = testTool("act", () => ({ ok: true, content: "done" }), { effect: "once" });
    const h = await open({
      answer: (call) =>
        turnOf(call) === 0 && call.request.tools.length > 0 ? calls(["act", {}]) : text("ok"),
      tools: [act],
    });
    const session = await h.session(await h.agent({ tools: ["*"], permissions: { mode: "approval" } }));
    const other = await h.session(await h.agent({ name: "plain" }));
    await h.say(session, "one");
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    await h.say(session, "two");
    await h.worker.stop(0);
    for (let claim = 0; claim < 2; claim++) {
      const dead = { workerId: `wrk_dead${claim}`, leaseMs: 6_000, knownEventVersion: 1 };
      await h.context.store.system.claim({ orgId: h.orgId, sessionId: session, ...dead });
    }
    h.worker = new Worker(h.context);
    await h.worker.start();
    // What the new worker found at its start was claimed before this one.
    await h.say(other, "hi");
    await h.finished(other);
    expect(h.worker.activation.get(h.orgId, session)).toBeNull();
    expect((await h.context.store.session(h.orgId, session).find())?.status).toBe("waiting");
  });

  it("takes a timer that was due while its workers were killed: an approval expires all the same", async () => {
    const act = testTool("act", () => ({ ok: true, content: "acted" }), { effect: "once" });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["act", {}]) : text("ok")),
      tools: [act],
    });
    const permissions = { mode: "approval", approvalTimeoutMs: 1_000 } as const;
    const session = await h.session(await h.agent({ tools: ["*"], permissions }));
    await h.say(session, "hi");
    await h.until(session, (log) => log.some((event) => event.type === "approval.requested"));
    await h.worker.stop(0);
    for (let claim = 0; claim < 3; claim++) {
      const dead = { workerId: `wrk_dead${claim}`, leaseMs: 0, knownEventVersion: 1 };
      await h.context.store.system.claim({ orgId: h.orgId, sessionId: session, ...dead });
    }
    h.worker = new Worker(h.context);
    await h.worker.start();
    const log = await h.finished(session);
    expect(log.filter((event) => event.type === "approval.expired")).toHaveLength(1);
    expect(log.filter((event) => event.type === "input.refused")).toHaveLength(0);
  });

  it("quarantines a session whose log cannot be folded, and says so", async () => {
    const h = await open({ answer: () => text("ok") });
    const session = await h.session(await h.agent());
    const epoch = await h.context.store.system.claim({
      orgId: h.orgId,
      sessionId: session,
      workerId: "wrk_x",
      leaseMs: 1,
      knownEventVersion: 1,
    });
    if (!epoch.ok) throw new Error("not claimed");
    await h.context.store.lane.append({
      orgId: h.orgId,
      sessionId: session,
      epoch: epoch.epoch,
      expectedSeq: 1,
      events: [{ seq: 2, type: "error", json: "{broken" }],
      taken: [],
    });
    await h.context.store.system.release({ orgId: h.orgId, sessionId: session, epoch: epoch.epoch });
    await h.say(session, "hi");
    const deadline = performance.now() + 5_000;
    while ((await h.context.store.session(h.orgId, session).find())?.status !== "quarantined") {
      if (performance.now() > deadline) throw new Error("not quarantined");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  it("takes no session for poison whose log the store cannot read for a while", async () => {
    const h = await open({ answer: () => text("done"), settings: { sweepMs: 20 } });
    const session = await h.session(await h.agent());
    const { store } = h.context;
    const scopeOf = store.session.bind(store);
    let failed = 0;
    const failing: Store["session"] = (orgId, id) => {
      const scope = scopeOf(orgId, id);
      const load: typeof scope.load = (what) => {
        if (failed === 5) return scope.load(what);
        failed += 1;
        return Promise.reject(new BerthError("store_unavailable", "try again", { retryable: true }));
      };
      return { ...scope, load };
    };
    Object.assign(store, { session: failing });
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(failed).toBe(5);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
  });
});

describe("drain", () => {
  it("lets a run come to its end and takes no new one", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => (await gate, { ok: true, content: "done" }), {
      effect: "once",
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("ok")),
      tools: [slow],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "one");
    await h.until(session, (log) => log.some((event) => event.type === "agent.tool_started"));
    await h.say(session, "two");
    const stopping = h.worker.stop(10_000);
    go();
    await stopping;
    const log = await h.log(session);
    expect(log.filter((event) => event.type === "run.finished").map((event) => event.data.reason)).toEqual([
      "end_turn",
    ]);
    h.worker = new Worker(h.context);
    await h.worker.start();
    await h.finished(session, 2);
  });

  it("lets a run come to its end whose first commit is still on its way (I13)", async () => {
    const h = await open({ answer: () => text("ok") });
    const session = await h.session(await h.agent());
    const { store } = h.context;
    let appends = 0;
    const append: Store["lane"]["append"] = async (commit) => {
      appends += 1;
      await pause(systemClock, 100);
      return store.lane.append(commit);
    };
    (h.context as { store: Store }).store = { ...store, lane: { ...store.lane, append } };
    await h.say(session, "one");
    await expect.poll(() => appends).toBe(1);
    await h.worker.stop(10_000);
    const types = (await h.log(session)).map(({ type }) => type);
    expect(types).toContain("run.finished");
    expect(types).not.toContain("session.resumed");
    h.worker = new Worker(h.context);
    await h.worker.start();
  });
});

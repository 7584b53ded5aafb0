import { afterEach, describe, expect, it } from "vitest";
import { createInProcessBus } from "../../../src/coordination/in-process/bus.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { silentTelemetry } from "../../../src/telemetry/telemetry.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, scriptedClient, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open({ settings, ...options }: HarnessOptions): Promise<Harness> {
  harness = await Harness.open({ ...options, settings: { ...settings, leaseMs: 1_500 } });
  return harness;
}

/** Something that waits until it is let go. */
function createGate() {
  let reached = false;
  let letGo: () => void = () => {};
  const opened = new Promise<void>((resolve) => (letGo = resolve));
  const pass = (): Promise<void> => ((reached = true), opened);
  return { pass, open: () => letGo(), reached: () => reached };
}

/** A model that calls a tool which ends at its second start. */
async function openWithSlowTool() {
  const slow = { starts: 0 };
  const tool = testTool("slow", () => {
    slow.starts += 1;
    return slow.starts === 1 ? new Promise(() => undefined) : { ok: true, content: "second time" };
  });
  const answer: HarnessOptions["answer"] = (call) =>
    turnOf(call) === 0 ? calls(["slow", {}]) : text("done");
  return { h: await open({ answer, tools: [tool] }), slow };
}

/** The lease is lost and found again. */
async function loseLease(h: Harness, session: string): Promise<void> {
  const { system } = h.context.store;
  const heartbeat = system.heartbeat.bind(system);
  Object.assign(system, { heartbeat: () => Promise.reject(new Error("the disk is full")) });
  await h.until(session, () => !h.worker.health().ok && h.worker.activation.all().length === 0);
  Object.assign(system, { heartbeat });
  await h.until(session, () => h.worker.health().ok);
}

describe("a worker that loses its lease and gets it back", () => {
  it("goes on with what it had to leave, without anybody asking for it", async () => {
    const { h, slow } = await openWithSlowTool();
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, () => slow.starts === 1);
    await loseLease(h, session);
    const log = await h.finished(session);
    expect(slow.starts).toBe(2);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
  });

  it("takes a lease that ran out while the process stood still for what it is, not for an error of the session", async () => {
    let stoodStill = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + stoodStill };
    const errorsIn: string[] = [];
    const fencedIn: number[] = [];
    const telemetry = {
      ...silentTelemetry(),
      unexpectedError: ({ where }: { readonly where: string }) => void errorsIn.push(where),
      sessionFenced: ({ epoch }: { readonly epoch: number }) => void fencedIn.push(epoch),
    };
    const still = testTool("still", () => {
      if (stoodStill === 0) stoodStill = 60_000;
      return { ok: true, content: "awake" };
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["still", {}]) : text("done")),
      tools: [still],
      overrides: { clock, telemetry },
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "end_turn" } });
    expect(fencedIn).toEqual([1]);
    expect(errorsIn).not.toContain("session");
  });

  it("goes on with a session that it was just about to begin with, and answers for it no longer than it has it", async () => {
    const bus = createInProcessBus();
    const gate = createGate();
    let answering = 0;
    const answer: typeof bus.answer = async (topic, call) => {
      if (!topic.startsWith("session:")) return bus.answer(topic, call);
      await gate.pass();
      const stop = await bus.answer(topic, call);
      answering += 1;
      return () => ((answering -= 1), stop());
    };
    // Nothing else brings the session to look into its mailbox while it is about to begin.
    const settings = { mailboxPollMs: 3_600_000 };
    const h = await open({ answer: () => text("done"), overrides: { bus: { ...bus, answer } }, settings });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, gate.reached);
    await loseLease(h, session);
    gate.open();
    await h.finished(session);
    await h.worker.stop(0);
    expect(answering).toBe(0);
  });

  it("does not begin with a session that it claimed under the lease before: claims it anew", async () => {
    const h = await open({ answer: () => text("done") });
    const { system } = h.context.store;
    const claim = system.claim.bind(system);
    const gate = createGate();
    const late: typeof claim = async (wanted) => {
      const claimed = await claim(wanted);
      await gate.pass();
      return claimed;
    };
    Object.assign(system, { claim: late });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, gate.reached);
    await loseLease(h, session);
    gate.open();
    await h.finished(session);
    expect((await h.context.store.session(h.orgId, session).find())?.epoch).toBeGreaterThan(1);
  });

  it("asks no model in a turn that was waiting for its reserve when the lease was lost again", async () => {
    const askedIn: number[] = [];
    const models = scriptedClient(() => text("done"));
    const of: typeof models.of = (scope) => ({
      ...models.of(scope),
      async *stream(call, signal) {
        const { epoch = 0 } = scope as typeof scope & { epoch?: number };
        askedIn.push(epoch);
        if (epoch === 1) await new Promise(() => undefined);
        yield* models.stream(call, signal);
      },
    });
    const h = await open({ answer: () => text("done"), overrides: { models: { ...models, of } } });
    const { lane } = h.context.store;
    const reserve = lane.reserve.bind(lane);
    const gate = createGate();
    const late: typeof reserve = async (wanted) => {
      const outcome = await reserve(wanted);
      if (wanted.epoch === 2) await gate.pass();
      return outcome;
    };
    Object.assign(lane, { reserve: late });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, () => askedIn.length === 1);
    await loseLease(h, session);
    await h.until(session, gate.reached);
    await loseLease(h, session);
    await h.finished(session);
    gate.open();
    await h.say(session, "again");
    await h.until(session, (log) => log.filter(({ type }) => type === "run.finished").length === 2);
    expect(askedIn).not.toContain(2);
    expect(askedIn.at(-1)).toBeGreaterThan(2);
  });

  it("begins anew with a session when it has let go of what the session had, not before", async () => {
    const story: string[] = [];
    const use = testTool("use", () => {
      story.push("use");
      return story.length === 1 ? new Promise(() => undefined) : { ok: true, content: "used" };
    });
    const h = await open({
      answer: (call) =>
        call.request.tools.length > 0 && turnOf(call) === 0 ? calls(["use", {}]) : text("ok"),
      tools: [use],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    const other = await h.session(await h.agent({ name: "other" }));
    const { sandboxes } = h.context;
    const release = sandboxes.release.bind(sandboxes);
    const gate = createGate();
    const slow: typeof release = async (place) => {
      if (place.sessionId === session && !gate.reached())
        await gate.pass().then(() => story.push("released"));
      await release(place);
    };
    Object.assign(sandboxes, { release: slow });
    await h.say(session, "hi");
    await h.until(session, () => story.length === 1);
    await loseLease(h, session);
    await h.until(session, gate.reached);
    await h.worker.sweep();
    await h.say(session, "go on");
    await h.say(other, "hi");
    await h.finished(other);
    gate.open();
    await h.finished(session, 2);
    expect(story.slice(0, 3)).toEqual(["use", "released", "use"]);
  });

  it("begins anew with a session although what it had is not let go of in five seconds", async () => {
    const { h, slow } = await openWithSlowTool();
    const { sandboxes } = h.context;
    const release = sandboxes.release.bind(sandboxes);
    const gate = createGate();
    Object.assign(sandboxes, { release: gate.pass });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, () => slow.starts === 1);
    await loseLease(h, session);
    await h.until(session, (log) => log.some(({ type }) => type === "run.finished"), 20_000);
    Object.assign(sandboxes, { release });
    gate.open();
  });

  it("leaves all its sessions at once: none goes on while another one is slow to let go", async () => {
    const starts = { slow: 0, fire: 0 };
    const slow = testTool("slow", () => {
      starts.slow += 1;
      return starts.slow === 1 ? new Promise(() => undefined) : { ok: true, content: "second time" };
    });
    const fire = testTool("fire", () => ({ ok: true, content: `${(starts.fire += 1)}` }), { effect: "once" });
    const h = await open({
      answer: (call) => {
        const tool = JSON.stringify(call.request.messages).includes("be slow") ? "slow" : "fire";
        return turnOf(call) === 0 ? calls([tool, {}]) : text("done");
      },
      tools: [slow, fire],
    });
    const { lane, system } = h.context.store;
    const append = lane.append.bind(lane);
    const gate = createGate();
    const late: typeof append = async (commit) => {
      const outcome = await append(commit);
      const begins = commit.events.some(({ type }) => type === "agent.tool_started");
      if (begins && commit.sessionId === second && commit.epoch === 1) await gate.pass();
      return outcome;
    };
    Object.assign(lane, { append: late });
    const agent = await h.agent({ tools: ["*"] });
    const first = await h.session(agent);
    const second = await h.session(agent);
    await h.say(first, "be slow");
    await h.until(first, () => starts.slow === 1);
    await h.say(second, "be quick");
    await h.until(second, gate.reached);
    const heartbeat = system.heartbeat.bind(system);
    Object.assign(system, { heartbeat: () => Promise.reject(new Error("the disk is full")) });
    await h.until(second, () => !h.worker.health().ok);
    Object.assign(system, { heartbeat });
    await h.until(second, () => h.worker.health().ok);
    gate.open();
    const log = await h.finished(second);
    expect(log.find(({ type }) => type === "agent.tool_result")?.data).toMatchObject({
      errorType: "interrupted",
    });
    expect(starts.fire).toBe(0);
  });
});

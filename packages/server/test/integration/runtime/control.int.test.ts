import type { SessionEvent } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import type { ModelPart } from "../../../src/models/model.ts";
import { Harness, type HarnessOptions } from "../../support/runtime/harness.ts";
import { calls, text, turnOf } from "../../support/runtime/scripted-client.ts";
import { echo, testTool } from "../../support/runtime/test-tools.ts";

let harness: Harness | null = null;
afterEach(async () => {
  await harness?.close();
  harness = null;
});

async function open(options: HarnessOptions): Promise<Harness> {
  harness = await Harness.open(options);
  return harness;
}

/** Milliseconds that an aborted tool has to let go, and any aborted effect. */
const toolGrace = 500;
const effectGrace = 1_000;

/** The system's time, in which waits of some lengths take others; `begun` has those that began. */
function timeWith(instead: ReadonlyMap<number, number>): { clock: Clock; begun: readonly number[] } {
  const begun: number[] = [];
  const after: Clock["after"] = (ms, call) => {
    if (instead.has(ms)) begun.push(ms);
    return systemClock.after(instead.get(ms) ?? ms, call);
  };
  return { clock: { ...systemClock, after }, begun };
}

/** Says some words, then nothing until it is aborted. */
async function* stuck(signal: AbortSignal): AsyncGenerator<readonly ModelPart[]> {
  yield [{ type: "text", block: 0, text: "I begin to " }];
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  yield [{ type: "error", error: { code: "aborted", message: "aborted", retryable: false } }];
}

const isType = (type: SessionEvent["type"]) => (events: readonly SessionEvent[]) =>
  events.some((event) => event.type === type);
const lastText = (call: { request: { messages: readonly unknown[] } }) =>
  JSON.stringify(call.request.messages.at(-1));

describe("cancel", () => {
  it("stops a model's stream, which then ends by itself, and keeps what was read of it", async () => {
    const { clock, begun } = timeWith(new Map([[effectGrace, 60_000]]));
    const h = await open({ answer: (_, signal) => stuck(signal), overrides: { clock } });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, isType("step.started"));
    await h.send(session, { type: "user.interrupt" }, "control");
    const log = await h.finished(session);
    expect(begun).toContain(effectGrace);
    expect(log.at(-1)).toMatchObject({ type: "run.finished", data: { reason: "interrupted" } });
    expect(log.find((event) => event.type === "agent.message")).toMatchObject({
      data: { text: "I begin to ", partial: true },
    });
  });

  it("keeps of an answer that began anew only what was read of the new one", async () => {
    const error = { code: "cut_off", message: "cut off", retryable: true } as const;
    let saysAgain = false;
    async function* broken(signal: AbortSignal): AsyncGenerator<readonly ModelPart[]> {
      yield [
        { type: "thinking", block: 0, text: "hm" },
        { type: "text", block: 1, text: "The first try" },
        { type: "retry", attempt: 1, delayMs: 0, error },
      ];
      saysAgain = true;
      yield* stuck(signal);
    }
    const h = await open({ answer: (_, signal) => broken(signal) });
    const session = await h.session(await h.agent());
    await h.say(session, "hi");
    await h.until(session, () => saysAgain);
    await h.send(session, { type: "user.interrupt" }, "control");
    const log = await h.finished(session);
    expect(log.flatMap((event) => (event.type === "agent.message" ? event.data.text : []))).toEqual([
      "I begin to ",
    ]);
  });

  it("stops a tool that ignores its signal, without waiting for it any longer, and seals its call", async () => {
    const { clock, begun } = timeWith(
      new Map([
        [toolGrace, 20],
        [effectGrace, 60_000],
      ]),
    );
    const deaf = testTool("deaf", () => new Promise(() => undefined), { effect: "once" });
    const h = await open({ answer: () => calls(["deaf", {}]), tools: [deaf], overrides: { clock } });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, isType("agent.tool_started"));
    await h.send(session, { type: "user.interrupt" }, "control");
    const log = await h.finished(session);
    expect(begun).toContain(toolGrace);
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({
      data: { sealed: true, errorType: "aborted" },
    });
  });

  it("takes a queued run out of the queue, which then never starts", async () => {
    const h = await open({
      answer: (call, signal) => (lastText(call).includes("first") ? stuck(signal) : text("ok")),
    });
    const session = await h.session(await h.agent());
    await h.say(session, "first");
    await h.until(session, isType("step.started"));
    const second = await h.say(session, "second");
    await h.send(session, { type: "user.interrupt", runId: second.runId ?? "" }, "control");
    const log = await h.until(session, isType("input.refused"));
    expect(log.find((event) => event.type === "input.refused")).toMatchObject({
      inputId: second.id,
      data: { code: "cancelled" },
    });
    expect(log.filter((event) => event.type === "run.started")).toHaveLength(1);
    expect(await h.context.store.org(h.orgId).findRun(second.runId ?? "")).toMatchObject({
      status: "cancelled",
    });
  });
});

describe("a message to a busy session", () => {
  it("waits in the queue and runs next (enqueue)", async () => {
    const h = await open({ answer: (call) => text(lastText(call).includes("one") ? "1" : "2") });
    const session = await h.session(await h.agent());
    await h.say(session, "one");
    await h.say(session, "two");
    const log = await h.finished(session, 2);
    expect(log.filter((event) => event.type === "agent.message").map((event) => event.data.text)).toEqual([
      "1",
      "2",
    ]);
  });

  it("joins the running run at its next step boundary (steer)", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => (await gate, { ok: true, content: "done" }));
    const h = await open({
      answer: (call) =>
        turnOf(call) === 0 && !lastText(call).includes("steered")
          ? calls(["slow", {}])
          : text(lastText(call)),
      tools: [slow],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    const first = await h.say(session, "hi");
    await h.until(session, isType("agent.tool_use"));
    await h.send(session, { type: "user.message", content: "steered", onBusy: "steer" }, "steer");
    go();
    const log = await h.finished(session);
    const steered = log.find((event) => event.type === "user.message" && event.data.steered === true);
    expect(steered).toMatchObject({ runId: first.runId });
    expect(log.filter((event) => event.type === "run.started")).toHaveLength(1);
    expect(log.at(-3)).toMatchObject({
      type: "agent.message",
      data: { text: expect.stringContaining("steered") as string },
    });
  });

  it("ends the run and takes its place (interrupt)", async () => {
    const h = await open({
      answer: (call, signal) => (lastText(call).includes("first") ? stuck(signal) : text("second answer")),
    });
    const session = await h.session(await h.agent());
    await h.say(session, "first");
    await h.until(session, isType("step.started"));
    await h.send(session, { type: "user.message", content: "second", onBusy: "interrupt" }, "control");
    const log = await h.finished(session, 2);
    expect(log.filter((event) => event.type === "run.finished").map((event) => event.data.reason)).toEqual([
      "interrupted",
      "end_turn",
    ]);
  });

  it("undoes the run and takes its place (rollback)", async () => {
    const h = await open({
      answer: (call, signal) =>
        lastText(call).includes("first") ? stuck(signal) : text(JSON.stringify(call.request.messages)),
    });
    const session = await h.session(await h.agent());
    await h.say(session, "first");
    await h.until(session, isType("step.started"));
    await h.send(session, { type: "user.message", content: "second", onBusy: "rollback" }, "control");
    const log = await h.finished(session, 2);
    expect(log.find((event) => event.type === "session.rewound")).toMatchObject({
      data: { toSeq: 1, cause: "rollback" },
    });
    const answer = log.findLast((event) => event.type === "agent.message");
    expect(answer?.type === "agent.message" && answer.data.text).not.toContain("first");
  });
});

describe("an input that ends nothing", () => {
  it("leaves a running call of effect once alone: it is not started again (I6)", async () => {
    let starts = 0;
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const slow = testTool("slow", async () => ((starts += 1), await gate, { ok: true, content: "done" }), {
      effect: "once",
    });
    const h = await open({
      answer: (call) => (turnOf(call) === 0 ? calls(["slow", {}]) : text("ok")),
      tools: [slow],
    });
    const session = await h.session(await h.agent({ tools: ["*"] }));
    await h.say(session, "hi");
    await h.until(session, isType("agent.tool_started"));
    const { id } = await h.send(session, { type: "session.archive", archived: false }, "control");
    await h.until(session, (events) => events.some((event) => event.inputId === id));
    go();
    const log = await h.finished(session);
    expect(starts).toBe(1);
    expect(log.find((event) => event.type === "agent.tool_result")).toMatchObject({ data: { ok: true } });
  });
});

describe("limits of a run", () => {
  it("stops at its number of steps and says how to go on", async () => {
    const h = await open({ answer: () => calls(["echo", { say: "again" }]), tools: [echo] });
    const session = await h.session(await h.agent({ tools: ["*"], limits: { maxSteps: 3 } }));
    const { runId } = await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({
      data: { reason: "limit_reached", steps: 3, recovery: [{ action: "raise_limit" }, { action: "fork" }] },
    });
    expect(await h.context.store.org(h.orgId).findRun(runId ?? "")).toMatchObject({
      status: "failed",
      reason: "limit_reached",
    });
  });

  it("stops when its time is up, in the middle of a tool", async () => {
    const deaf = testTool("deaf", () => new Promise(() => undefined));
    const h = await open({ answer: () => calls(["deaf", {}]), tools: [deaf] });
    const session = await h.session(await h.agent({ tools: ["*"], limits: { maxDurationMs: 300 } }));
    await h.say(session, "hi");
    const log = await h.finished(session);
    expect(log.at(-1)).toMatchObject({ data: { reason: "limit_reached" } });
  });

  it("goes on after a failure from the last safe point, with another model if asked", async () => {
    const models: string[] = [];
    const h = await open({
      answer: (call) => {
        models.push(call.models[0] ?? "");
        const bad: ModelPart = {
          type: "error",
          error: { code: "server_error", message: "broken", retryable: true },
        };
        return models.length === 1 ? [bad] : text("fine");
      },
    });
    const session = await h.session(await h.agent());
    const { runId } = await h.say(session, "hi");
    const failed = await h.finished(session);
    expect(failed.at(-1)).toMatchObject({
      data: { reason: "retries_exhausted", error: { code: "server_error" } },
    });
    await h.send(session, { type: "run.retry", runId: runId ?? "", model: "other/model" });
    const log = await h.finished(session, 2);
    expect(log.at(-1)).toMatchObject({ data: { reason: "end_turn" } });
    expect(models).toEqual(["test/model", "other/model"]);
  });
});

import { describe, expect, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { context, input, message } from "../../test/support/session/inputs.ts";
import { call, client, person, spent, story, type Story } from "../../test/support/session/story.ts";
import { decideInput, type MailboxInput } from "./decide-input.ts";
import { finishRun } from "./decide-run.ts";
import { askApproval, finishStep, requestInput } from "./decide-step.ts";
import type { NewEvent } from "./new-event.ts";
import { project } from "./project.ts";
import type { SessionState } from "./state.ts";

const approvalId = idOf("approval", 1);
const toolUseId = idOf("toolUse", 1);
const runId = idOf("run", 1);

/** What a commit after a story changes in the lists. */
function changes(
  told: Story,
  decide: (state: SessionState) => readonly NewEvent[],
  taken?: readonly MailboxInput[],
) {
  let before = told.state;
  const { events, state } = given(told).when((at) => {
    before = at;
    return decide(at);
  });
  return project(before, events, state, taken);
}
const take = (told: Story, one: MailboxInput, mailbox: readonly MailboxInput[] = []) =>
  changes(told, (state) => decideInput(state, one, context({ now: told.now, mailbox })).events, [
    one,
    ...mailbox,
  ]);
const sent = (body: Parameters<typeof input>[1]) => input(1, body);

describe("the row of the session", () => {
  it("follows its status, its run and its usage", () => {
    const began = take(story(), message(1, "hi"));
    expect(began.session).toEqual({ status: "running", currentRunId: idOf("run", 91) });
    const told = story().message("hi").think().answer("a");
    const ended = changes(told, (state) => finishRun(state, { reason: "end_turn", now: told.now }));
    expect(ended.session).toEqual({ status: "idle", currentRunId: null });
    const spending = story().message("hi").think();
    const data = {
      model: "m",
      usage: spent(1, 2),
      cost: 0,
      ttftMs: 0,
      durationMs: 0,
      finish: "stop",
    } as const;
    expect(changes(spending, () => [{ type: "step.finished", data }]).session).toMatchObject({
      usage: spent(1, 2),
    });
  });

  it("follows what a change or a rewind makes of it", () => {
    const updated = take(story(), sent({ type: "session.update", title: "T" }));
    expect(updated.session).toMatchObject({ title: "T", metadata: {}, model: null, agent: { name: "main" } });
    const told = story({ title: "first" })
      .turn("one")
      .add({ type: "session.updated", data: { title: "second" } });
    const data = {
      toSeq: 7,
      cause: "rewind",
      manifest: null,
      manifestSeq: null,
      usage: spent(10, 5),
      outsideEffects: [],
    } as const;
    const back = changes(told, () => [{ type: "session.rewound", data: { ...data, outsideEffects: [] } }]);
    expect(back.session).toMatchObject({ title: "first", usage: spent(10, 5) });
    expect(back.rewind).toEqual({ at: 9, toSeq: 7 });
    expect(updated.rewind).toBeUndefined();
  });
});

describe("the rows of runs", () => {
  it("begin, go on, wait and end", () => {
    const at = story().now;
    expect(take(story(), message(1, "hi")).runs).toEqual([
      { id: idOf("run", 91), status: "running", startedAt: at, usage: spent(0, 0), cost: 0, steps: 0 },
    ]);
    const waits = story().message("hi").think().answer(call(1, client));
    const asked = changes(waits, () => [
      requestInput(waits.at(), waits.find(1).call, new Date(at).toISOString()),
    ]);
    expect(asked.runs).toMatchObject([{ id: runId, status: "waiting", steps: 1 }]);
    const error = { code: "x", message: "m", retryable: true };
    const fails = story().message("hi").think().answer("a");
    const failed = changes(fails, (state) => finishRun(state, { reason: "error", now: fails.now, error }));
    expect(failed.runs).toMatchObject([
      {
        id: runId,
        status: "failed",
        reason: "error",
        error,
        finishedAt: fails.now,
        usage: spent(10, 5),
        cost: 0.5,
        steps: 1,
      },
    ]);
    expect(failed.runs[0]?.["recovery"]).toHaveLength(2);
  });

  it("of an interrupted and of its successor change in one commit", () => {
    const told = story().message("hi");
    expect(take(told, message(1, "stop", "control")).runs).toMatchObject([
      { id: runId, status: "cancelled", reason: "interrupted" },
      { id: idOf("run", 91), status: "running" },
    ]);
  });

  it("of refused messages and retries are cancelled, and no other", () => {
    const told = story().message("hi");
    const refused = take(told, input(1, { type: "run.retry", runId }, "queue"));
    expect(refused.runs).toMatchObject([
      {
        id: idOf("run", 91),
        status: "cancelled",
        error: { code: "not_the_last_run", retryable: false },
        finishedAt: told.now,
      },
      { id: runId, status: "running" },
    ]);
    expect(refused.runs[1]).not.toHaveProperty("error");
    const queued = message(2, "later");
    const cancelled = take(told, sent({ type: "user.interrupt", runId: idOf("run", 92) }), [queued]);
    expect(cancelled.runs).toMatchObject([
      { id: idOf("run", 92), status: "cancelled", error: { code: "cancelled" } },
      { id: runId },
    ]);
    expect(take(story(), sent({ type: "user.interrupt", runId: idOf("run", 77) })).runs).toEqual([]);
    const data = { code: "c", message: "m", inputType: "user.message" };
    expect(changes(story(), () => [{ type: "input.refused", data }]).runs).toEqual([]);
  });

  it("of messages that joined another run are cancelled, and say which", () => {
    const told = story().message("hi");
    const steered = message(1, "and?", "steer");
    expect(take(told, steered).runs).toMatchObject([
      {
        id: idOf("run", 91),
        status: "cancelled",
        error: { code: "joined", message: expect.stringContaining(runId) },
        finishedAt: told.now,
      },
      { id: runId, status: "running" },
    ]);
    expect(take(told, { ...steered, runId: null }).runs).toMatchObject([{ id: runId }]);
    const unknown = changes(told, (state) => decideInput(state, steered, context()).events);
    expect(unknown.runs).toMatchObject([{ id: runId }]);
  });
});

describe("the rows of runs in a broken log", () => {
  it("are those of no run where the id is missing", () => {
    const { state, events } = story().turn("x");
    const { runId: _, ...ended } = events.at(-1) as NonNullable<(typeof events)[0]>;
    expect(project(state, [ended as (typeof events)[0]], state).runs).toMatchObject([{ id: "" }]);
  });
});

describe("the rows of approvals and their timers", () => {
  const pending = () =>
    story()
      .message("hi")
      .think()
      .answer(call(1, { permission: "ask" }));
  const asked = () => pending().asks(1);
  const decide = (change: object) =>
    sent({ type: "user.approval", approvalId, decision: "allow", ...change });

  it("begin when a person is asked", () => {
    const told = pending();
    const expiresAt = new Date(told.now + 5_000).toISOString();
    const made = changes(told, (state) => [askApproval(state, told.at(), told.find(1).call, expiresAt)]);
    const row = {
      id: approvalId,
      runId,
      toolUseId,
      tool: "tool_1",
      input: { number: 1 },
      inputHash: call(1).inputHash,
    };
    expect(made.approvals).toEqual([
      { op: "insert", row: { ...row, path: ["main"], createdAt: told.now, expiresAt: told.now + 5_000 } },
    ]);
    expect(made.timers).toEqual({
      set: [{ kind: "approval", ref: approvalId, dueAt: told.now + 5_000 }],
      clear: [],
    });
  });

  it.each([
    [{}, "allowed", {}],
    [{ decision: "deny", note: "no" }, "denied", { note: "no" }],
  ])("are decided by %j as %s", (change, status, more) => {
    const told = asked();
    const made = take(told, decide(change));
    const base = { op: "decide", id: approvalId, decidedBy: person.id, note: null, decidedAt: told.now };
    expect(made.approvals).toEqual([{ ...base, status, ...more }]);
    expect(made.timers).toEqual({ set: [], clear: [{ kind: "approval", ref: approvalId }] });
  });

  it("show the arguments that a person put in place", () => {
    const data = { approvalId, toolUseId, decision: "edit", input: { a: 1 } } as const;
    const edit = (change: object) =>
      changes(asked(), () => [{ type: "approval.decided", data: { ...data, ...change } }]).approvals;
    expect(edit({ inputHash: hashOf(1) })).toMatchObject([
      { status: "edited", input: { a: 1 }, inputHash: hashOf(1) },
    ]);
    expect(edit({})[0]).not.toHaveProperty("input");
  });

  it("expire, or are cancelled with their run", () => {
    const expired = take(asked(), sent({ type: "timer", kind: "approval", ref: approvalId }));
    expect(expired.approvals).toMatchObject([
      { id: approvalId, status: "expired", decidedBy: null, note: null },
    ]);
    const cancelled = take(asked(), sent({ type: "user.interrupt" }));
    expect(cancelled.approvals).toMatchObject([{ id: approvalId, status: "cancelled", decidedBy: null }]);
    expect(cancelled.timers.clear).toEqual([{ kind: "approval", ref: approvalId }]);
  });

  it("made and cancelled in one commit leave no timer", () => {
    const told = pending();
    const made = changes(told, (state) => {
      const ask = askApproval(state, told.at(), told.find(1).call, new Date(told.now).toISOString());
      return [ask, ...finishRun(state, { reason: "interrupted", now: told.now })];
    });
    expect(made.approvals.map((change) => change.op)).toEqual(["insert", "decide"]);
    expect(made.timers.set).toEqual([]);
  });
});

describe("the timers of the caller's tools", () => {
  const pending = () => story().message("hi").think().answer(call(1, client), call(2));

  it("are set when the caller is asked and cleared by the result", () => {
    const told = pending();
    const asked = changes(told, () => [
      requestInput(told.at(), told.find(1).call, new Date(told.now + 9).toISOString()),
    ]);
    expect(asked.timers).toEqual({
      set: [{ kind: "client_tool", ref: toolUseId, dueAt: told.now + 9 }],
      clear: [],
    });
    const result = { type: "user.tool_result", toolUseId, content: "", ok: true } as const;
    expect(take(told.requests(1), sent(result)).timers).toEqual({
      set: [],
      clear: [{ kind: "client_tool", ref: toolUseId }],
    });
  });

  it("asked and answered in one commit leave nothing", () => {
    const told = story().message("hi").think();
    const step = {
      namespace: "",
      stepId: idOf("step", 1),
      messageId: idOf("message", 1),
      model: "m",
      usage: spent(1, 1),
      cost: 0,
    };
    const made = changes(told, () => [
      ...finishStep({
        ...step,
        blocks: [{ blockId: 0, type: "tool_use", call: call(1, client) }],
        ttftMs: 0,
        durationMs: 0,
        finish: "stop",
      }),
      {
        type: "input.requested",
        data: { toolUseId, name: "tool_1", input: {}, expiresAt: new Date(told.now).toISOString() },
      },
      { type: "agent.tool_result", data: { toolUseId, name: "tool_1", ok: true, content: "" } },
    ]);
    expect(made.timers).toEqual({ set: [], clear: [{ kind: "client_tool", ref: toolUseId }] });
  });

  it("have nothing to do with the server's tools", () => {
    const data = { toolUseId: idOf("toolUse", 2), name: "tool_2", ok: true, content: "" };
    expect(changes(pending(), () => [{ type: "agent.tool_result", data }]).timers).toEqual({
      set: [],
      clear: [],
    });
  });
});

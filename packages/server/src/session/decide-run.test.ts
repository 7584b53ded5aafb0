import { describe, expect, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { call, client, delegation, limits, plan, spent, story } from "../../test/support/session/story.ts";
import { beginWithMessage, finishRun, recover, startRun, statusOfReason } from "./decide-run.ts";
import { root } from "./state.ts";

const runId = idOf("run", 1);
const error = { code: "x", message: "It broke.", retryable: true };

describe("a run begins", () => {
  it("with its message and everything that it keeps to its end", () => {
    given(story())
      .when(() => beginWithMessage({ content: "hi", runId }, { ...plan, traceparent: "00-1-2-01" }))
      .thenEvents(
        { type: "user.message", runId, data: { content: "hi", runId } },
        { type: "run.started", runId, data: { ...plan, traceparent: "00-1-2-01" } },
      )
      .thenState({ run: { id: runId, firstSeq: 2 } });
  });

  it("also without a message", () => {
    given(story().turn("x"))
      .when(() => startRun(idOf("run", 2), plan))
      .thenEvents({ type: "run.started", data: plan });
  });
});

describe("a run ends", () => {
  it("once, with what it used", () => {
    const told = story().message("hi").think().answer("hello");
    given(told)
      .when((state) => finishRun(state, { reason: "end_turn", now: told.now + 10, manifest: hashOf(1) }))
      .thenEvents({
        type: "run.finished",
        runId,
        data: {
          reason: "end_turn",
          usage: spent(10, 5),
          cost: 0.5,
          steps: 1,
          durationMs: 2_010,
          manifest: hashOf(1),
        },
      })
      .thenState({ run: null, lastRun: { id: runId, reason: "end_turn" } });
    expect(finishRun(story().state, { reason: "end_turn", now: 0 })).toEqual([]);
  });

  it("with everything closed that was open, from the deepest sub-agent up", () => {
    const told = story().message("hi").think();
    told
      .answer(call(1, delegation), call(2, { effect: "once" }), call(3, client), call(4))
      .delegates(1)
      .starts(2)
      .requests(3);
    told
      .think("helper-1")
      .answerIn("helper-1", "I ask", call(5, delegation), call(6))
      .returns(6)
      .delegates(5);
    told.think("helper-1/helper-2");
    const closed = (number: number, content: RegExp) => ({
      type: "agent.tool_result" as const,
      data: {
        toolUseId: idOf("toolUse", number),
        ok: false,
        errorType: "aborted",
        sealed: true,
        content: expect.stringMatching(content),
      },
    });
    given(told)
      .when((state) => finishRun(state, { reason: "interrupted", now: told.now + 5 }))
      .thenEvents(
        {
          type: "step.finished",
          namespace: "helper-1/helper-2",
          stepId: idOf("step", 3),
          data: {
            finish: "cancelled",
            estimated: true,
            cost: null,
            durationMs: 5,
            usage: { inputTokens: 6, outputTokens: 0 },
          },
        },
        {
          type: "subagent.finished",
          namespace: "helper-1",
          data: { toolUseId: idOf("toolUse", 5), reason: "interrupted" },
        },
        { ...closed(5, /before this call was finished/), namespace: "helper-1" },
        {
          type: "subagent.finished",
          namespace: "",
          data: { toolUseId: idOf("toolUse", 1), result: "I ask" },
        },
        closed(1, /before this call was finished/),
        closed(2, /may have had an effect/),
        closed(3, /before this call was finished/),
        closed(4, /before this call was finished/),
        { type: "run.finished", data: { reason: "interrupted", cost: null, steps: 3, usage: spent(26, 10) } },
      )
      .thenState({ run: null, approvals: {}, namespaces: { "": { node: "END", calls: [] } } });
  });

  it("with the text that was streamed of the open steps, and of nothing else", () => {
    const told = story().message("hi").think();
    const partial = { namespace: root, messageId: idOf("message", 1), blockId: 2, text: "half a" };
    const others = [
      { ...partial, namespace: "helper-1" },
      { ...partial, text: "" },
    ];
    given(told)
      .when((state) =>
        finishRun(state, { reason: "interrupted", now: told.now, partials: [...others, partial] }),
      )
      .thenEvents(
        {
          type: "agent.message",
          stepId: idOf("step", 1),
          data: { messageId: idOf("message", 1), blockId: 2, text: "half a", partial: true },
        },
        { type: "step.finished", data: { finish: "cancelled" } },
        { type: "run.finished" },
      );
    given(story().message("hi").think().answer(call(1)))
      .when((state) => finishRun(state, { reason: "interrupted", now: told.now, partials: [partial] }))
      .thenEvents({ type: "agent.tool_result" }, { type: "run.finished" });
  });

  it("never with a negative duration", () => {
    given(story().message("hi").think())
      .when((state) => finishRun(state, { reason: "interrupted", now: 0 }))
      .thenEvents(
        { type: "step.finished", data: { durationMs: 0 } },
        { type: "run.finished", data: { durationMs: 0 } },
      );
  });
});

describe("what can be done after a run", () => {
  const recovery = (ending: Partial<Parameters<typeof finishRun>[1]>) => {
    const [finished] = given(story().turn("before").message("hi"))
      .when((state) => finishRun(state, { reason: "error", now: 0, error, ...ending }))
      .events.slice(-1);
    return finished?.type === "run.finished" ? finished.data.recovery : null;
  };
  const path = `/api/v1/runs/${idOf("run", 2)}/retry`;
  const fork = {
    action: "fork",
    request: { path: `/api/v1/sessions/${idOf("session", 1)}/fork`, body: { seq: 7 } },
  };

  it("that failed: try again, with another model if there is one, or branch off before it", () => {
    const retry = { action: "retry", request: { method: "POST", path, body: {} } };
    expect(recovery({ reason: "error" })).toMatchObject([retry, fork]);
    const change = {
      action: "change_model",
      label: "Go on with a/b",
      request: { path, body: { model: "a/b" } },
    };
    expect(recovery({ reason: "retries_exhausted", otherModels: ["a/b", "c/d"] })).toMatchObject([
      retry,
      change,
      fork,
    ]);
  });

  it("that reached a limit: twice the limits, but no more than a run may have", () => {
    const twice = { maxSteps: 100, maxTokens: 2_000_000, maxDurationMs: 7_200_000 };
    expect(recovery({ reason: "limit_reached" })).toMatchObject([
      { action: "raise_limit", request: { path, body: { limits: twice } } },
      fork,
    ]);
    const most = { ...limits, maxSteps: 900, maxDurationMs: 6 * 86_400_000 };
    const [raised] = given(story().message("hi", { limits: most }))
      .when((state) => finishRun(state, { reason: "limit_reached", now: 0 }))
      .events.flatMap((event) => (event.type === "run.finished" ? (event.data.recovery ?? []) : []));
    expect(raised?.request.body).toMatchObject({
      limits: { maxSteps: 1_000, maxDurationMs: 7 * 86_400_000 },
    });
  });

  it("that kills its workers: branch off before it", () => {
    expect(recovery({ reason: "quarantined" })).toMatchObject([fork]);
  });

  it.each(["end_turn", "interrupted", "denied", "budget_reached"] as const)(
    "that ended as %s: nothing",
    (reason) => {
      expect(recovery({ reason })).toBeUndefined();
    },
  );

  it.each([
    ["end_turn", "completed"],
    ["interrupted", "cancelled"],
    ["denied", "failed"],
    ["error", "failed"],
    ["retries_exhausted", "failed"],
    ["limit_reached", "failed"],
    ["budget_reached", "failed"],
    ["quarantined", "failed"],
  ] as const)("%s means %s", (reason, status) => {
    expect(statusOfReason(reason)).toBe(status);
  });
});

describe("recovery", () => {
  const actor = { type: "system", id: "runtime" };

  it("is nothing without a run, or when the run only waits", () => {
    expect(recover(story().turn("hi").state, 2)).toEqual([]);
    expect(recover(story().message("hi").think().answer(call(1, client)).requests(1).state, 2)).toEqual([]);
  });

  it("goes on with a step, and with pure and idempotent calls", () => {
    const data = { strategy: "continue", sealed: [], epoch: 2 };
    given(story().message("hi").think())
      .when((state) => recover(state, 2))
      .thenEvents({ type: "session.resumed", actor, data });
    given(
      story()
        .message("hi")
        .think()
        .answer(call(1), call(2, { effect: "idempotent" })),
    )
      .when((state) => recover(state, 2))
      .thenEvents({ type: "session.resumed", actor, data });
  });

  it("starts a call of effect once that had not started", () => {
    given(
      story()
        .message("hi")
        .think()
        .answer(call(1, { effect: "once", permission: "ask" }))
        .asks(1)
        .decided(1),
    )
      .when((state) => recover(state, 2))
      .thenEvents({ type: "session.resumed", data: { strategy: "continue" } })
      .thenState({ namespaces: { "": { calls: [{ state: "approved" }] } } });
  });

  it("I6: seals a call of effect once that had started, in every namespace, and never a delegation or the caller's", () => {
    const told = story()
      .message("hi")
      .think()
      .answer(call(1, delegation), call(2, { effect: "once" }), call(3, client));
    told
      .delegates(1)
      .starts(2)
      .requests(3)
      .think("helper-1")
      .answerIn("helper-1", call(4, { effect: "once" }))
      .starts(4);
    const sealed = (number: number, namespace: string) => ({
      type: "agent.tool_result" as const,
      namespace,
      data: {
        toolUseId: idOf("toolUse", number),
        name: `tool_${number}`,
        ok: false,
        errorType: "interrupted",
        retryable: false,
        sealed: true,
        note: expect.any(String),
      },
    });
    given(told)
      .when((state) => recover(state, 7))
      .thenEvents(
        {
          type: "session.resumed",
          data: { strategy: "seal", sealed: [idOf("toolUse", 2), idOf("toolUse", 4)], epoch: 7 },
        },
        sealed(2, ""),
        sealed(4, "helper-1"),
      )
      .thenState({ namespaces: { "": { node: "ACT" }, "helper-1": { node: "THINK" } } });
  });
});

import { describe, expect, it } from "vitest";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { agent, call, client, plan, story } from "../../test/support/session/story.ts";
import { noUsage, root, statusOf } from "./state.ts";

describe("events about a run", () => {
  it("run.started begins one with what it keeps to its end", () => {
    const { state, seq } = story().turn("one").message("two", { model: "test/big" });
    expect(state.run).toMatchObject({
      id: idOf("run", 2),
      agent,
      model: "test/big",
      limits: plan.limits,
      firstSeq: seq - 1,
      steps: 0,
      cost: 0,
      subagents: 0,
      usage: noUsage,
      waitedMs: 0,
      waitingSince: null,
    });
    expect(state.namespaces[root]).toMatchObject({ node: "THINK", model: "test/big", step: null });
    expect(statusOf(state)).toBe("running");
  });

  it("a run without a message of its own (a retry) is the first thing of itself", () => {
    const told = story()
      .turn("one")
      .add({ type: "run.started", runId: idOf("run", 9), data: plan });
    expect(told.state.run?.firstSeq).toBe(told.seq);
    const late = story()
      .add({ type: "user.message", data: { content: "hi", runId: idOf("run", 1) } })
      .add({ type: "session.updated", data: { title: "between" } })
      .add({ type: "run.started", runId: idOf("run", 1), data: plan });
    expect(late.state.run?.firstSeq).toBe(late.seq);
  });

  it("a run of another version of the agent is that version's, also in what it begins", () => {
    const next = { ...agent, version: agent.version + 1 };
    const told = story()
      .turn("one")
      .add({ type: "run.started", runId: idOf("run", 9), data: { ...plan, agent: next } });
    expect(told.state.run?.agent).toEqual(next);
    expect(told.state.namespaces[root]?.agent).toEqual(next);
  });

  it("run.finished leaves the conversation and nothing that was open", () => {
    const { state } = story().message("one").think().ends("interrupted");
    expect(state).toMatchObject({
      run: null,
      approvals: {},
      lastRun: { id: idOf("run", 1), reason: "interrupted" },
    });
    expect(state.namespaces[root]).toMatchObject({ node: "END", step: null, calls: [] });
  });

  it("adds up usage and cost; a call without a price leaves the cost unknown", () => {
    const told = story().message("one").think().answer(call(1)).returns(1).think().answer("done");
    expect(told.state.run).toMatchObject({ steps: 2, cost: 1, usage: { inputTokens: 20, outputTokens: 10 } });
    expect(told.state.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 });
    const unknown = story().message("one").think().ends("error").message("two").think().answer("x");
    expect(unknown.state.run?.cost).toBe(0.5);
    const data = { model: "m", usage: noUsage, ttftMs: null, durationMs: 1, finish: "stop" } as const;
    const free = story()
      .message("one")
      .add({ type: "step.finished", data: { ...data, cost: null } });
    expect(free.state.run?.cost).toBeNull();
    expect(free.add({ type: "step.finished", data: { ...data, cost: 1 } }).state.run?.cost).toBeNull();
  });

  it("approvals wait until they are decided or expire", () => {
    const asked = () =>
      story()
        .message("x")
        .think()
        .answer(call(1, { permission: "ask" }))
        .asks(1);
    const id = idOf("approval", 1);
    expect(asked().state.approvals).toEqual({
      [id]: { id, toolUseId: idOf("toolUse", 1), namespace: "", expiresAt: expect.any(String) },
    });
    expect(asked().find(1).call.state).toBe("approval_required");
    const allowed = asked().decided(1);
    expect(allowed.state.approvals).toEqual({});
    expect(allowed.find(1).call.state).toBe("approved");
    const denied = asked().decided(1, { decision: "deny" });
    expect(denied.state.approvals).toEqual({});
    expect(denied.find(1).call.state).toBe("approval_required");
    const data = { approvalId: id, toolUseId: idOf("toolUse", 1) };
    expect(asked().add({ type: "approval.expired", data }).state.approvals).toEqual({});
  });

  it("an edit puts new arguments and their hash in the place of the model's, and only with both", () => {
    const asked = () =>
      story()
        .message("x")
        .think()
        .answer(call(1, { permission: "ask" }))
        .asks(1);
    const input = { number: 2 };
    const edited = asked().decided(1, { decision: "edit", input, inputHash: hashOf(2) });
    expect(edited.find(1).call).toMatchObject({ state: "approved", input, inputHash: hashOf(2) });
    expect(asked().decided(1, { decision: "edit", input }).find(1).call.input).toEqual({ number: 1 });
  });

  it("counts the time in which it only waited for people", () => {
    const told = story().message("x").think().answer(call(1, client), call(2)).requests(1);
    expect(told.state.run).toMatchObject({ waitingSince: null, waitedMs: 0 });
    told.returns(2);
    const since = told.now;
    expect(told.state.run).toMatchObject({ waitingSince: since, waitedMs: 0 });
    expect(statusOf(told.state)).toBe("waiting");
    told.later(9_000).returns(1);
    expect(told.state.run).toMatchObject({ waitingSince: null, waitedMs: 10_000 });
    told.think().answer(call(3, client)).requests(3);
    expect(told.later(4_000).returns(3).state.run?.waitedMs).toBe(15_000);
  });

  it("a clock that steps back does not make the time that it waited negative", () => {
    const told = story().message("x").think().answer(call(1, client)).requests(1);
    expect(told.later(-60_000).returns(1).state.run?.waitedMs).toBe(0);
  });
});

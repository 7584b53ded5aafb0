import { describe, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { context, input } from "../../test/support/session/inputs.ts";
import { call, client, delegation, person, story } from "../../test/support/session/story.ts";
import { decideInput } from "./decide-input.ts";

const approvalId = idOf("approval", 1);
const toolUseId = idOf("toolUse", 1);
const inputId = idOf("input", 1);
const timer = { type: "system", id: "timer" };
const core = { type: "system", id: "core" };

describe("an approval", () => {
  const asked = () =>
    story()
      .message("hi")
      .think()
      .answer(call(1, { permission: "ask" }))
      .asks(1);
  const decide = (change: object, editedHash?: string) => (state: Parameters<typeof decideInput>[0]) =>
    decideInput(
      state,
      input(1, { type: "user.approval", approvalId, decision: "allow", ...change }),
      context(editedHash === undefined ? {} : { editedHash }),
    );

  it("that is given lets the call run", () => {
    given(asked())
      .when(decide({ note: "fine" }))
      .thenEvents({
        type: "approval.decided",
        inputId,
        actor: person,
        data: { approvalId, toolUseId, decision: "allow", note: "fine" },
      })
      .thenState({ approvals: {}, namespaces: { "": { calls: [{ state: "approved" }] } } });
  });

  it("I7: that edits puts the new arguments and their hash in place", () => {
    given(asked())
      .when(decide({ decision: "edit", input: { safe: true } }, hashOf(5)))
      .thenEvents({
        type: "approval.decided",
        data: { decision: "edit", input: { safe: true }, inputHash: hashOf(5) },
      })
      .thenState({
        namespaces: { "": { calls: [{ state: "approved", input: { safe: true }, inputHash: hashOf(5) }] } },
      });
  });

  it("I7: that edits into something that cannot be used is refused, and still waits", () => {
    given(asked())
      .when(decide({ decision: "edit", input: {} }))
      .thenEvents({
        type: "input.refused",
        data: { code: "invalid_arguments", inputType: "user.approval", ref: approvalId },
      })
      .thenState({ approvals: { [approvalId]: { toolUseId } } });
  });

  it.each([{}, { note: "too risky" }])("that is denied is the call's result, with the note: %j", (change) => {
    given(asked())
      .when(decide({ decision: "deny", ...change }))
      .thenEvents(
        { type: "approval.decided", inputId, data: { decision: "deny", ...change } },
        {
          type: "agent.tool_result",
          actor: core,
          data: { toolUseId, name: "tool_1", ok: false, errorType: "denied", retryable: false, ...change },
        },
      )
      .thenState({ namespaces: { "": { node: "THINK", calls: [{ state: "denied" }] } } });
  });

  it("of a sub-agent's call is decided in its namespace", () => {
    const told = story().message("hi").think().answer(call(2, delegation)).delegates(2);
    told
      .think("helper-1")
      .answerIn("helper-1", call(1, { permission: "ask" }))
      .asks(1);
    given(told)
      .when(decide({ decision: "deny" }))
      .thenEvents(
        { type: "approval.decided", namespace: "helper-1" },
        { type: "agent.tool_result", namespace: "helper-1" },
      );
  });

  const late = {
    type: "input.refused",
    inputId,
    data: { code: "already_decided", inputType: "user.approval", ref: approvalId },
  } as const;
  it.each([
    ["a decision", asked().decided(1)],
    ["the end of its run", asked().ends("interrupted")],
    ["its expiry", asked().add({ type: "approval.expired", data: { approvalId, toolUseId } })],
  ])("after %s is refused: the first in the log wins", (_, told) => {
    given(told).when(decide({})).thenEvents(late);
  });

  it("whose call is gone is denied all the same", () => {
    const told = asked();
    const bare = { ...told.at(), calls: [] };
    given(told)
      .when((state) => decide({ decision: "deny" })({ ...state, namespaces: { "": bare } }))
      .thenEvents({ type: "approval.decided" }, { type: "agent.tool_result", data: { name: "" } });
    given(told)
      .when((state) => decide({ decision: "deny" })({ ...state, namespaces: {} }))
      .thenEvents({ type: "approval.decided" }, { type: "agent.tool_result", data: { name: "" } });
  });

  it("expires into a denial", () => {
    given(asked())
      .when((state) =>
        decideInput(state, input(1, { type: "timer", kind: "approval", ref: approvalId }), context()),
      )
      .thenEvents(
        { type: "approval.expired", inputId, actor: timer, data: { approvalId, toolUseId } },
        { type: "agent.tool_result", data: { ok: false, errorType: "denied", retryable: false } },
      )
      .thenState({ approvals: {}, namespaces: { "": { node: "THINK" } } });
  });
});

describe("a tool of the caller", () => {
  const awaited = () => story().message("hi").think().answer(call(1, client), call(2)).requests(1);
  const answer =
    (change: object = {}) =>
    (state: Parameters<typeof decideInput>[0]) =>
      decideInput(
        state,
        input(1, { type: "user.tool_result", toolUseId, content: "c", ok: true, ...change }),
        context(),
      );
  const expire =
    (ref = toolUseId) =>
    (state: Parameters<typeof decideInput>[0]) =>
      decideInput(state, input(1, { type: "timer", kind: "client_tool", ref }), context());

  it("has the result that the caller sends", () => {
    given(awaited())
      .when(answer())
      .thenEvents({
        type: "agent.tool_result",
        inputId,
        actor: person,
        data: { toolUseId, name: "tool_1", ok: true, content: "c", executedHash: call(1).inputHash },
      })
      .thenState({ namespaces: { "": { calls: [{ state: "completed" }, { state: "pending" }] } } });
    given(awaited())
      .when(answer({ ok: false }))
      .thenEvents({ type: "agent.tool_result", data: { ok: false, errorType: "runtime" } });
  });

  it.each([
    ["a second time", awaited().returns(1)],
    ["before it is asked", story().message("hi").think().answer(call(1, client))],
    [
      "for a tool of the server",
      story()
        .message("hi")
        .think()
        .answer(call(1, { effect: "once" }))
        .starts(1),
    ],
    ["after the run", awaited().ends("interrupted")],
  ])("is not taken %s", (_, told) => {
    given(told)
      .when(answer())
      .thenEvents({
        type: "input.refused",
        inputId,
        data: { code: "already_decided", inputType: "user.tool_result", ref: toolUseId },
      });
  });

  it("expires into a timeout", () => {
    given(awaited())
      .when(expire())
      .thenEvents({
        type: "agent.tool_result",
        inputId,
        actor: timer,
        data: { ok: false, errorType: "timeout", retryable: true },
      });
  });

  it.each([
    ["a call that was answered", awaited().returns(1), expire()],
    [
      "an approval that was decided",
      awaited(),
      (state: Parameters<typeof decideInput>[0]) =>
        decideInput(state, input(1, { type: "timer", kind: "approval", ref: approvalId }), context()),
    ],
    ["the call of another kind", awaited(), expire(idOf("toolUse", 2))],
  ])("lets the timer of %s pass", (_, told, fire) => {
    given(told)
      .when(fire)
      .thenEvents({
        type: "input.refused",
        inputId,
        actor: timer,
        data: { code: "already_decided", inputType: "timer" },
      });
  });
});

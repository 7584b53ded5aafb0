import type { InputBody } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { hashOf, idOf } from "../../test/support/session/ids.ts";
import { context, input, message } from "../../test/support/session/inputs.ts";
import { call, client, delegation, helper, person, plan, story } from "../../test/support/session/story.ts";
import { decideInput, mayTake, nextInput } from "./decide-input.ts";

const core = { type: "system", id: "core" };
const archived = () =>
  story()
    .turn("hi")
    .add({ type: "session.archived", data: { archived: true } });

describe("when an input may be taken", () => {
  const idle = story().state;
  const thinking = story().message("hi").think().state;
  const between = story().message("hi").think().answer(call(1)).returns(1).state;
  const answered = story().message("hi").think().answer("a").state;
  const acting = story().message("hi").think().answer(call(1, delegation)).delegates(1).state;
  const waiting = story().message("hi").think().answer(call(1, client)).requests(1).state;

  it.each([
    ["control", [true, true, true, true, true, true]],
    ["steer", [true, false, true, true, false, false]],
    ["queue", [true, false, false, false, false, false]],
  ] as const)("in the lane %s: idle, thinking, between steps, answered, acting, waiting: %j", (lane, may) => {
    const states = [idle, thinking, between, answered, acting, waiting];
    expect(states.map((state) => mayTake(state, message(1, "x", lane)))).toEqual(may);
  });

  it("nothing but control may be taken before there is an agent", () => {
    expect(mayTake({ ...thinking, namespaces: {} }, message(1, "x", "steer"))).toBe(false);
  });

  it("the first that may is taken, the others wait", () => {
    const mailbox = [message(1, "later", "steer"), message(2, "last", "queue")];
    expect(nextInput(thinking, mailbox)).toBeNull();
    expect(nextInput(between, mailbox)).toBe(mailbox[0]);
    expect(nextInput(idle, mailbox)).toBe(mailbox[0]);
    expect(nextInput(idle, mailbox.slice(1))).toBe(mailbox[1]);
  });
});

describe("a message", () => {
  it.each(["queue", "steer", "control"] as const)("in the lane %s begins a run when none goes on", (lane) => {
    const runId = idOf("run", 91);
    given(story().turn("before"))
      .when((state) => decideInput(state, message(1, "hi", lane), context()))
      .thenEvents(
        {
          type: "user.message",
          runId,
          inputId: idOf("input", 1),
          actor: person,
          data: { content: "hi", runId },
        },
        { type: "run.started", runId, actor: core, data: plan },
      );
  });

  it("that steers joins the run that goes on", () => {
    const { taken } = given(story().message("hi").think().answer("a"))
      .when((state) => decideInput(state, message(1, "and?", "steer"), context()))
      .thenEvents({
        type: "user.message",
        inputId: idOf("input", 1),
        runId: idOf("run", 1),
        data: { content: "and?", runId: idOf("run", 1), steered: true },
      })
      .thenState({ namespaces: { "": { node: "THINK" } } });
    expect(taken).toEqual([idOf("input", 1)]);
  });

  it("that interrupts ends the run that goes on and begins its own", () => {
    const partials = [{ namespace: "", messageId: idOf("message", 1), blockId: 0, text: "half" }];
    given(story().message("hi").think())
      .when((state) =>
        decideInput(state, message(1, "stop", "control"), context({ partials, manifest: hashOf(2) })),
      )
      .thenEvents(
        { type: "agent.message", runId: idOf("run", 1), data: { text: "half", partial: true } },
        { type: "step.finished", actor: core },
        { type: "run.finished", runId: idOf("run", 1), data: { reason: "interrupted", manifest: hashOf(2) } },
        { type: "user.message", runId: idOf("run", 91), data: { content: "stop" } },
        { type: "run.started", runId: idOf("run", 91) },
      );
  });

  it("without a minted run gets one that follows from its own id", () => {
    given(story())
      .when((state) => decideInput(state, { ...message(1, "hi"), runId: null }, context()))
      .thenEvents(
        { type: "user.message", runId: idOf("run", 1) },
        { type: "run.started", runId: idOf("run", 1) },
      );
  });

  it("to an archived session is refused, and so is its run", () => {
    const refused = { code: "session_archived", inputType: "user.message", ref: idOf("run", 91) };
    given(archived())
      .when((state) => decideInput(state, message(1, "hi"), context()))
      .thenEvents({
        type: "input.refused",
        runId: idOf("run", 91),
        inputId: idOf("input", 1),
        actor: person,
        data: refused,
      });
  });

  it("of the application is told to the model, but not in an archived session", () => {
    const system = input(1, { type: "system.message", content: "noon" }, "steer");
    given(story())
      .when((state) => decideInput(state, system, context()))
      .thenEvents({ type: "system.message", inputId: system.id, actor: person, data: { content: "noon" } });
    given(archived())
      .when((state) => decideInput(state, system, context()))
      .thenEvents({ type: "input.refused", data: { code: "session_archived", inputType: "system.message" } });
  });
});

describe("an interrupt", () => {
  it.each([{}, { reason: "enough" }, { runId: idOf("run", 1) }])("%j ends the run that goes on", (change) => {
    const { runId: _, ...data } = { runId: "", ...change };
    given(story().message("hi"))
      .when((state) => decideInput(state, input(1, { type: "user.interrupt", ...change }), context()))
      .thenEvents(
        { type: "user.interrupt", runId: idOf("run", 1), inputId: idOf("input", 1), actor: person, data },
        { type: "run.finished", data: { reason: "interrupted" } },
      );
  });

  it.each([
    ["a message", message(2, "later"), "user.message"],
    ["a retry", input(2, { type: "run.retry", runId: idOf("run", 1) }, "queue"), "run.retry"],
  ])("of %s that is queued refuses that, whatever else goes on", (_, queued, inputType) => {
    const runId = idOf("run", 92);
    const interrupt = input(3, { type: "user.interrupt", runId });
    const mailbox = [interrupt, message(1, "x"), queued];
    const { taken } = given(story().message("hi"))
      .when((state) => decideInput(state, interrupt, context({ mailbox })))
      .thenEvents(
        { type: "user.interrupt", runId, inputId: idOf("input", 3), actor: person },
        {
          type: "input.refused",
          runId,
          inputId: idOf("input", 2),
          actor: core,
          data: { code: "cancelled", inputType, ref: runId },
        },
      )
      .thenState({ run: { id: idOf("run", 1) } });
    expect(taken).toEqual([idOf("input", 3), idOf("input", 2)]);
  });

  it.each([
    ["without a run", story().turn("hi"), {}],
    ["of another run", story().message("hi"), { runId: idOf("run", 77) }],
  ])("%s is refused", (_, told, change) => {
    given(told)
      .when((state) =>
        decideInput(
          state,
          input(1, { type: "user.interrupt", ...change }),
          context({ mailbox: [message(2, "x")] }),
        ),
      )
      .thenEvents({ type: "input.refused", data: { code: "run_not_running", inputType: "user.interrupt" } });
  });
});

describe("a retry", () => {
  const retry = (runId: string) => input(1, { type: "run.retry", runId }, "queue");

  it("of the last run begins a new one without a new message", () => {
    given(story().message("hi").think().ends("error"))
      .when((state) => decideInput(state, retry(idOf("run", 1)), context()))
      .thenEvents({
        type: "run.started",
        runId: idOf("run", 91),
        inputId: idOf("input", 1),
        actor: person,
        data: plan,
      })
      .thenState({ namespaces: { "": { node: "THINK" } } });
  });

  it.each([
    ["of an earlier run", story().turn("a").turn("b"), idOf("run", 1), "not_the_last_run"],
    ["while a run goes on", story().turn("a").message("b"), idOf("run", 1), "not_the_last_run"],
    ["before there was a run", story(), idOf("run", 1), "not_the_last_run"],
    ["in an archived session", archived(), idOf("run", 1), "session_archived"],
  ])("%s is refused, and so is the run that it would have begun", (_, told, runId, code) => {
    given(told)
      .when((state) => decideInput(state, retry(runId), context()))
      .thenEvents({
        type: "input.refused",
        runId: idOf("run", 91),
        data: { code, inputType: "run.retry", ref: idOf("run", 91) },
      });
  });
});

describe("a change of the session", () => {
  const file = { path: "/a", hash: hashOf(1), size: 3 };
  const changes: readonly (readonly [InputBody, string, object])[] = [
    [{ type: "session.update", title: "T", agent: helper }, "session.updated", { title: "T", agent: helper }],
    [{ type: "session.archive", archived: false }, "session.archived", { archived: false }],
    [{ type: "todo.write", todos: [] }, "todo.changed", { todos: [] }],
    [
      { type: "file.write", ...file },
      "file.changed",
      { path: "/a", change: "written", blob: { hash: hashOf(1), size: 3 } },
    ],
    [
      { type: "file.write", ...file, mediaType: "a/b" },
      "file.changed",
      { blob: { hash: hashOf(1), size: 3, mediaType: "a/b" } },
    ],
    [{ type: "file.delete", path: "/a" }, "file.changed", { path: "/a", change: "deleted" }],
    [{ type: "file.move", path: "/a", to: "/b" }, "file.changed", { path: "/a", change: "moved", to: "/b" }],
  ];
  it.each(changes)("%j becomes %s, also while a run goes on", (body, type, data) => {
    const told = story().message("hi").think();
    given(told)
      .when((state) => decideInput(state, input(1, body), context()))
      .thenEvents({ type: type as "todo.changed", inputId: idOf("input", 1), actor: person, data })
      .thenState({ run: { id: idOf("run", 1) } });
  });

  it("of a file that could not be done says why", () => {
    const fileError = { code: "path_refused", message: "It leads outside." };
    given(story())
      .when((state) =>
        decideInput(state, input(1, { type: "file.delete", path: "/a" }), context({ fileError })),
      )
      .thenEvents({ type: "input.refused", data: { ...fileError, inputType: "file.delete" } });
  });

  it("that archives it ends its run first", () => {
    given(story().message("hi"))
      .when((state) => decideInput(state, input(1, { type: "session.archive", archived: true }), context()))
      .thenEvents({ type: "run.finished" }, { type: "session.archived", inputId: idOf("input", 1) });
  });

  it("that rewinds it is not decided here", () => {
    given(story())
      .when((state) => decideInput(state, input(1, { type: "session.rewind", toSeq: 1 }), context()))
      .thenEvents({ type: "input.refused", data: { code: "not_a_safe_point", ref: "1" } });
  });
});

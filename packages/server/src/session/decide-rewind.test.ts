import { describe, expect, it } from "vitest";
import { given } from "../../test/support/session/given.ts";
import { hashOf, idOf, isoAt } from "../../test/support/session/ids.ts";
import { context as inputContext, input, message } from "../../test/support/session/inputs.ts";
import { call, person, plan, spent, story, type Story } from "../../test/support/session/story.ts";
import { decideRewind, decideRollback, isSafePoint, type RewindContext } from "./decide-rewind.ts";
import { effectiveEvents, fold, rewindsOf } from "./fold.ts";
import { stamp } from "./new-event.ts";
import { root } from "./state.ts";

const core = { type: "system", id: "core" };

/** What the decision gets to know when it is about a seq of the story. */
function context(told: Story, toSeq: number, change: Partial<RewindContext> = {}): RewindContext {
  const target = fold(effectiveEvents(told.events).filter((event) => event.seq <= toSeq));
  return {
    now: told.now,
    partials: [],
    target,
    rewinds: rewindsOf(told.events),
    outsideEffects: [],
    ...change,
  };
}

const rewind = (told: Story, toSeq: number, change: Partial<RewindContext> = {}) =>
  given(told).when((state) =>
    decideRewind(state, input(1, { type: "session.rewind", toSeq }), context(told, toSeq, change)),
  );
/** The story goes on with what was decided. */
const rewound = (told: Story, toSeq: number) => {
  told.events.push(...rewind(told, toSeq).events);
  return told;
};
const refused = {
  type: "input.refused",
  data: { code: "not_a_safe_point", inputType: "session.rewind" },
} as const;

describe("a rewind", () => {
  it("goes back to a place between two steps", () => {
    const told = story().turn("one").turn("two");
    const { taken, state } = rewind(told, 7).thenEvents({
      type: "session.rewound",
      inputId: idOf("input", 1),
      actor: person,
      data: {
        toSeq: 7,
        cause: "rewind",
        manifest: null,
        manifestSeq: null,
        files: "exact",
        outsideEffects: [],
        usage: spent(20, 10),
      },
    });
    expect(taken).toEqual([idOf("input", 1)]);
    expect([...(state.namespaces[root]?.items ?? [])].map((item) => item.seq)).toEqual([2, 5]);
  });

  it("ends the run first, voids its approvals and keeps what it used", () => {
    const told = story()
      .turn("one")
      .message("two")
      .think()
      .answer(call(1, { permission: "ask" }))
      .asks(1);
    rewind(told, 8)
      .thenEvents(
        { type: "agent.tool_result", actor: core },
        { type: "run.finished", actor: core, data: { reason: "interrupted" } },
        { type: "session.rewound", data: { usage: spent(20, 10) } },
      )
      .thenState({ run: null, approvals: {}, usage: spent(20, 10), lastRun: { id: idOf("run", 1) } });
  });

  it("counts a step that it cuts off at its estimate", () => {
    const told = story().turn("one").message("x".repeat(40)).think();
    const partials = [{ namespace: root, messageId: idOf("message", 2), blockId: 0, text: "half" }];
    const estimated = told.at().step?.estimatedTokens ?? 0;
    rewind(told, 8, { partials })
      .thenEvents(
        { type: "agent.message" },
        { type: "step.finished" },
        { type: "run.finished" },
        { type: "session.rewound", data: { usage: spent(10 + estimated, 5) } },
      )
      .thenState({ usage: spent(10 + estimated, 5) });
  });

  it("restores the workspace of that time, and says what it cannot restore", () => {
    const told = story().message("one").think().answer("a").ends("end_turn", hashOf(1)).turn("two");
    const outsideEffects = [{ toolUseId: idOf("toolUse", 3), name: "bash_run", seq: 9 }];
    rewind(told, 8, { outsideEffects })
      .thenEvents({ type: "session.rewound", data: { manifest: hashOf(1), manifestSeq: 7, outsideEffects } })
      .thenState({ manifest: { hash: hashOf(1) }, workspaceDirty: false });
  });

  it("says what becomes of the files", () => {
    const touch = call(1, { effect: "idempotent" });
    const inRun = (told: Story) => told.message("x").think().answer(touch).starts(1).returns(1).think();
    const blob = { hash: hashOf(5), size: 5 };
    const upload = {
      type: "file.changed",
      inputId: idOf("input", 7),
      data: { path: "up", change: "written", blob },
    } as const;
    const file = { path: "up", now: { hash: hashOf(5), size: 5 } };

    const early = inRun(story().add(upload));
    const inFirst = early.seq - 1;
    early.answer("done").ends();
    rewind(early, 2)
      .thenEvents({ type: "session.rewound", data: { files: "exact", manifest: null } })
      .thenState({ fileChanges: [file], toolsTouched: false, workspaceDirty: false });
    rewind(early, inFirst)
      .thenEvents({ type: "session.rewound", data: { files: "left", manifest: null } })
      .thenState({ toolsTouched: true, workspaceDirty: true });

    const kept = story().message("one").think().answer("a").ends("end_turn", hashOf(1)).add(upload);
    const late = inRun(kept);
    const inSecond = late.seq - 1;
    late.answer("done").ends("end_turn", hashOf(2));
    rewind(late, inSecond)
      .thenEvents({
        type: "session.rewound",
        data: { files: "earlier", manifest: hashOf(1), manifestSeq: 7 },
      })
      .thenState({ fileChanges: [file], toolsTouched: false, workspaceDirty: false });
    rewind(late, late.seq).thenState({ manifest: { hash: hashOf(2) }, fileChanges: [] });
  });

  it.each([
    ["in the middle of a step", 4],
    ["while calls are open", 6],
    ["before the session", 0],
    ["after the end", 99],
  ])("%s is refused", (_, toSeq) => {
    rewind(story().message("hi").think().answer(call(1)), toSeq).thenEvents({ ...refused, actor: person });
  });

  it("to where the log does not reach is refused", () => {
    rewind(story().turn("hi"), 7, { target: null }).thenEvents(refused);
  });

  it("into what another rewind undid is refused; before it and after it is not", () => {
    const told = rewound(story().turn("one").turn("two"), 7).turn("three");
    rewind(told, 8).thenEvents(refused);
    rewind(told, 7).thenEvents({ type: "session.rewound" });
    rewind(told, 14).thenEvents({ type: "session.rewound" });
    const undone = { target: story().turn("one").message("two").state, rewinds: [{ at: 14, toSeq: 7 }] };
    expect(isSafePoint(9, told.state, undone)).toBe(false);
    expect(isSafePoint(9, told.state, { ...undone, rewinds: [] })).toBe(true);
  });

  it("into the log of the session that this one was forked from is refused", () => {
    const told = story().turn("one");
    const data = {
      fromSessionId: idOf("session", 1),
      fromSeq: 7,
      owner: person.id,
      title: null,
      manifest: null,
    };
    const place = { sessionId: idOf("session", 2), seq: told.seq, runId: null, agentId: "" };
    told.events.push(...stamp(place, [{ type: "session.forked", data }], isoAt(told.now)));
    rewind(told, 7).thenEvents(refused);
    rewind(told, told.seq).thenEvents({ type: "session.rewound" });
  });

  it("is not what another input asks for", () => {
    expect(decideRewind(story().state, message(1, "x"), context(story(), 1))).toEqual({
      events: [],
      taken: [],
    });
  });

  it("nests: what rewinds left is what a rewind cuts", () => {
    const told = rewound(story().turn("one").turn("two"), 7).turn("three").turn("four");
    const seqs = () => effectiveEvents(told.events).map((event) => event.seq);
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, ...Array.from({ length: 13 }, (_, i) => 14 + i)]);
    rewound(told, 20);
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 17, 18, 19, 20, 27]);
    rewound(told, 1);
    expect(seqs()).toEqual([1, 28]);
    expect(told.state).toMatchObject({ seq: 28, run: null, usage: spent(40, 20) });
    expect([...told.at().items]).toEqual([]);
  });
});

describe("a rollback", () => {
  const rollback = (told: Story, toSeq: number, change: Partial<RewindContext> = {}) =>
    given(told).when((state) =>
      decideRollback(
        state,
        { ...message(1, "rather", "control"), content: "rather" },
        { ...inputContext(), ...context(told, toSeq, change), plan },
      ),
    );

  it("cancels the run, goes back to before its message and takes the new one", () => {
    const told = story().turn("one").message("two").think().answer(call(1)).returns(1).think();
    const runId = idOf("run", 91);
    const { taken, state } = rollback(told, 7)
      .thenEvents(
        { type: "step.finished", actor: core },
        { type: "run.finished", runId: idOf("run", 2), data: { reason: "interrupted" } },
        { type: "session.rewound", actor: person, data: { toSeq: 7, cause: "rollback" } },
        {
          type: "user.message",
          runId,
          inputId: idOf("input", 1),
          actor: person,
          data: { content: "rather", runId },
        },
        { type: "run.started", runId, actor: core, data: plan },
      )
      .thenState({ run: { id: runId } });
    expect(taken).toEqual([idOf("input", 1)]);
    const said = [...(state.namespaces[root]?.items ?? [])].flatMap((item) =>
      item.kind === "user" ? [item.content] : [],
    );
    expect(said).toEqual(["one", "rather"]);
  });

  it.each([
    ["no target", null],
    ["a target before another run", 1],
  ])("with %s undoes nothing, but cancels", (_, toSeq) => {
    const told = story().turn("one").message("two");
    rollback(told, toSeq ?? 1, toSeq === null ? { target: null } : {}).thenEvents(
      { type: "run.finished" },
      { type: "user.message" },
      { type: "run.started" },
    );
  });

  it("when no run goes on is a message", () => {
    rollback(story().turn("one"), 7).thenEvents({ type: "user.message" }, { type: "run.started" });
  });
});

import { describe, expect, it } from "vitest";
import { idOf } from "../../test/support/session/ids.ts";
import { story } from "../../test/support/session/story.ts";
import { effectiveEvents, fold, isUndone, rewindsOf } from "./fold.ts";
import { type NewEvent, placeOf, stamp } from "./new-event.ts";
import { initialState, noUsage } from "./state.ts";

describe("the effective log", () => {
  const rewound = (toSeq: number): NewEvent => ({
    type: "session.rewound",
    data: {
      toSeq,
      cause: "rewind",
      manifest: null,
      manifestSeq: null,
      usage: noUsage,
      outsideEffects: [],
    },
  });

  it("is the raw one without a rewind", () => {
    const { events } = story().turn("one");
    expect(effectiveEvents(events)).toBe(events);
    expect(fold([])).toBe(initialState);
  });

  it("leaves out what a rewind undid, and keeps the rewind", () => {
    const told = story().turn("one").turn("two").add(rewound(7));
    expect(rewindsOf(told.events)).toEqual([{ at: 14, toSeq: 7 }]);
    expect(effectiveEvents(told.events).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 14]);
  });

  it.each([
    [6, false],
    [7, true],
    [11, true],
    [12, false],
    [13, false],
  ])("with a rewind at 12 to 6 has %i undone: %s", (seq, undone) => {
    expect(isUndone(seq, [{ at: 12, toSeq: 6 }])).toBe(undone);
  });
});

describe("stamping", () => {
  const place = { sessionId: idOf("session", 1), seq: 4, runId: idOf("run", 1), agentId: idOf("agent", 1) };
  const at = "2030-01-01T00:00:00.000Z";

  it("gives seq, time, session, run, version and the agent as actor", () => {
    const [first, second] = stamp(
      place,
      [
        { type: "user.interrupt", data: {} },
        {
          type: "todo.changed",
          data: { todos: [] },
          namespace: "helper-1",
          stepId: idOf("step", 1),
          inputId: idOf("input", 1),
          actor: { type: "user", id: "u" },
        },
      ],
      at,
    );
    const own = { at, sessionId: place.sessionId, runId: place.runId, v: 1 };
    const agent = { type: "agent", id: place.agentId };
    expect(first).toEqual({ seq: 5, type: "user.interrupt", namespace: "", actor: agent, data: {}, ...own });
    expect(second).toEqual({
      seq: 6,
      type: "todo.changed",
      namespace: "helper-1",
      stepId: idOf("step", 1),
      inputId: idOf("input", 1),
      actor: { type: "user", id: "u" },
      data: { todos: [] },
      ...own,
    });
  });

  it("lets a run reach from its start to its end, and an event of another run be only its own", () => {
    const finished = { reason: "end_turn", usage: noUsage, cost: 0, steps: 0, durationMs: 0 } as const;
    const refused = { code: "c", message: "m", inputType: "user.message" };
    const plan = {
      agent: { id: idOf("agent", 1), version: 1, name: "a" },
      model: "m",
      limits: { maxSteps: 1, maxDurationMs: 1, maxTokens: 1, maxDepth: 0 },
    };
    const events = stamp(
      place,
      [
        { type: "input.refused", runId: idOf("run", 9), data: refused },
        { type: "run.finished", data: finished },
        { type: "todo.changed", data: { todos: [] } },
        { type: "run.started", runId: idOf("run", 2), data: plan },
        { type: "todo.changed", data: { todos: [] } },
      ],
      at,
    );
    expect(events.map((event) => event.runId)).toEqual([
      idOf("run", 9),
      idOf("run", 1),
      undefined,
      idOf("run", 2),
      idOf("run", 2),
    ]);
  });

  it("begins where a state ends", () => {
    const told = story().message("hi");
    expect(placeOf(told.state)).toEqual({ ...place, seq: 3 });
    expect(placeOf(told.think().answer("a").ends().state)).toEqual({ ...place, seq: 7, runId: null });
  });
});

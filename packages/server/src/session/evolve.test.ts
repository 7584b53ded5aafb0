import { describe, expect, it } from "vitest";
import { idOf } from "../../test/support/session/ids.ts";
import { call, client, delegation, plan, story } from "../../test/support/session/story.ts";
import { evolve } from "./evolve.ts";
import { fold } from "./fold.ts";
import type { NewEvent } from "./new-event.ts";
import { initialState, noUsage, root } from "./state.ts";

describe("evolve", () => {
  it("never throws on what was committed, also where it does not belong", () => {
    const told = story()
      .message("x")
      .think()
      .answer(
        call(1, delegation),
        call(2, { permission: "ask" }),
        call(3, client),
        call(4, { effect: "once" }),
      )
      .delegates(1)
      .asks(2)
      .requests(3)
      .starts(4)
      .returns(4)
      .think("helper-1")
      .answerIn("helper-1", "done")
      .reports("helper-1")
      .ends();
    const data = {
      toSeq: 1,
      cause: "rewind",
      manifest: null,
      manifestSeq: null,
      usage: noUsage,
      outsideEffects: [],
    } as const;
    told.add({ type: "session.rewound", data: { ...data, outsideEffects: [] } });
    for (const event of told.events) {
      expect(evolve(initialState, event).seq).toBe(event.seq);
      expect(evolve(told.state, { ...event, namespace: "gone" }).seq).toBe(event.seq);
    }
  });

  it("takes nothing from an event of a namespace that is gone", () => {
    const orphan = (event: NewEvent) => {
      const { state } = story()
        .message("x")
        .add({ ...event, namespace: "gone" });
      expect(state).toEqual({ ...story().message("x").state, seq: 4 });
    };
    const data = { method: "stub", keptFromSeq: 1, tokensBefore: 1, tokensAfter: 1 } as const;
    orphan({ type: "context.compacted", data });
    orphan({ type: "agent.message", data: { messageId: idOf("message", 1), blockId: 0, text: "x" } });
    orphan({
      type: "subagent.finished",
      data: { toolUseId: idOf("toolUse", 1), namespace: "gone", reason: "error", result: "" },
    });
  });

  it("does without the ids that only a broken log would lack", () => {
    const [created] = story().events;
    const { at, sessionId, actor } = created as NonNullable<typeof created>;
    const base = { at, sessionId, actor, namespace: root, v: 1 };
    const events = [
      { ...base, seq: 2, type: "run.started", data: plan },
      { ...base, seq: 3, type: "step.started", data: { model: "m", estimatedTokens: 1 } },
      {
        ...base,
        seq: 4,
        type: "run.finished",
        data: { reason: "end_turn", usage: noUsage, cost: 0, steps: 0, durationMs: 0 },
      },
    ];
    const state = fold(events as never, story().state);
    expect(state.lastRun).toEqual({ id: "", reason: "end_turn" });
  });
});

import { expect, it } from "vitest";
import { call, delegation, story } from "../../test/support/session/story.ts";
import { fold } from "./fold.ts";
import { decodeState, encodeState } from "./snapshot.ts";

it("I8: a snapshot gives back the state, and a fold goes on from it as from the state itself", () => {
  const told = story({ metadata: { __proto__x: "1" } })
    .turn("one")
    .message("two")
    .think();
  told
    .answer(call(1, delegation), call(2, { permission: "ask" }))
    .asks(2)
    .delegates(1);
  const { state, seq } = told;
  const decoded = decodeState(encodeState(state));
  expect(encodeState(decoded)).toBe(encodeState(state));
  expect(decoded.namespaces["helper-1"]?.items.length).toBe(1);
  told.think("helper-1").answerIn("helper-1", "done").reports("helper-1");
  expect(encodeState(fold(told.events.slice(seq), decoded))).toBe(encodeState(told.state));
});

import { type SessionEvent, sessionEvent } from "@berth/contract";
import { expect } from "vitest";
import type { Taken } from "../../../src/session/decide-input.ts";
import { evolve } from "../../../src/session/evolve.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { type NewEvent, placeOf, stamp } from "../../../src/session/new-event.ts";
import type { SessionState } from "../../../src/session/state.ts";
import { isoAt } from "./ids.ts";
import { Story } from "./story.ts";

type Decided = NewEvent | readonly NewEvent[] | Taken;
type Expected = { readonly type: NewEvent["type"] } & Readonly<Record<string, unknown>>;

interface Outcome {
  readonly events: readonly SessionEvent[];
  /** Exactly these events, in this order; of each, what is given must be equal. */
  thenEvents(...expected: readonly Expected[]): Outcome;
  /** The state that the events led to has at least this. */
  thenState(expected: Readonly<Record<string, unknown>>): Outcome;
  readonly state: SessionState;
  readonly taken: readonly string[];
}

/** `given(story).when(decide).thenEvents(...)`: what a decision makes of a state. Every event must be valid by the contract. */
export function given(before: Story | readonly SessionEvent[]): {
  when(decide: (state: SessionState) => Decided): Outcome;
} {
  const raw = before instanceof Story ? before.events : before;
  const state = fold(effectiveEvents(raw));
  return {
    when(decide) {
      const decided = decide(state);
      const { events, taken } = normalize(decided);
      const at = before instanceof Story ? before.now : Date.parse(raw.at(-1)?.at ?? isoAt(0));
      const stamped = stamp({ ...placeOf(state), seq: raw.length }, events, isoAt(at));
      return outcomeOf(raw, state, stamped, taken);
    },
  };
}

function normalize(decided: Decided): { events: readonly NewEvent[]; taken: readonly string[] } {
  if ("taken" in decided) return decided;
  return { events: "type" in decided ? [decided] : decided, taken: [] };
}

function outcomeOf(
  raw: readonly SessionEvent[],
  before: SessionState,
  events: readonly SessionEvent[],
  taken: readonly string[],
): Outcome {
  for (const event of events) sessionEvent.parse(event);
  const rewinds = events.some((event) => event.type === "session.rewound");
  const state = rewinds ? fold(effectiveEvents([...raw, ...events])) : events.reduce(evolve, before);
  const outcome: Outcome = {
    events,
    state,
    taken,
    thenEvents(...expected) {
      expect(events.map((event) => event.type)).toEqual(expected.map((event) => event.type));
      expect(events).toMatchObject(expected);
      return outcome;
    },
    thenState(expected) {
      expect(state).toMatchObject(expected);
      return outcome;
    },
  };
  return outcome;
}

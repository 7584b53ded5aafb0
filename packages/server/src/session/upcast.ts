import type { PersistedType, SessionEvent } from "@berth/contract";

/** Newest version of each event type. A type that is not named is at version 1. */
const newest: Partial<Record<PersistedType, number>> = {
  // First versions are higher than all before them, so that a program that does not know these types does not claim their sessions.
  "budget.reached": 2,
  "budget.released": 2,
  "budget.warned": 2,
  "sandbox.allocated": 3,
  "sandbox.released": 3,
};

/** The version that an event of this type is written with now. */
export function versionOf(type: PersistedType): number {
  return newest[type] ?? 1;
}

/** The highest event version that this program knows: a session with a newer one is not claimed. */
export const knownEventVersion = Math.max(1, ...Object.values(newest));

type Upcast = (data: unknown) => unknown;

/** Steps from a version of a type to the next one; pure, applied on read, kept forever. */
const upcasts: ReadonlyMap<string, Upcast> = new Map();

/** An event as the newest version of its type. Steps are looked up by `type@version`. */
export function upcast(event: SessionEvent, steps: ReadonlyMap<string, Upcast> = upcasts): SessionEvent {
  let current = event;
  for (
    let step = steps.get(`${current.type}@${current.v}`);
    step;
    step = steps.get(`${current.type}@${current.v}`)
  ) {
    current = { ...current, data: step(current.data), v: current.v + 1 } as SessionEvent;
  }
  return current;
}

/** An event from its text in the log. */
export function decodeEvent(json: string): SessionEvent {
  return upcast(JSON.parse(json) as SessionEvent);
}

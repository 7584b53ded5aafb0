import { evolve } from "../session/evolve.ts";
import { decodeState } from "../session/snapshot.ts";
import { initialState, type SessionState } from "../session/state.ts";
import { decodeEvent } from "../session/upcast.ts";
import type { LoadedLog } from "../store/store.ts";

/** The state of a loaded log: its snapshot, then the events after it. */
export function foldWith(loaded: LoadedLog): SessionState {
  let state = loaded.snapshot === null ? initialState : decodeState(loaded.snapshot.body);
  for (const event of loaded.events) state = evolve(state, decodeEvent(event.json));
  return state;
}

import { breakpointOf } from "../session/breakpoint.ts";
import { type SessionState, statusOf } from "../session/state.ts";
import type { LiveText } from "./live-text.ts";

/** Tells followers a session's status and breakpoint, when they changed. */
export class StatusTeller {
  readonly #live: LiveText;
  #told: string;

  /** `last`: the session as it was told of before; null: it was not. */
  constructor(live: LiveText, last: SessionState | null) {
    this.#live = live;
    this.#told = last === null ? "" : toldOf(last);
  }

  get hasTold(): boolean {
    return this.#told !== "";
  }

  tell(state: SessionState): void {
    const status = statusOf(state);
    const breakpoint = breakpointOf(state);
    const told = toldOf(state);
    if (told === this.#told) return;
    const runId = state.run?.id;
    if (!this.#told.startsWith(`${status}/`))
      this.#live.tell({ type: "session.status", namespace: "", runId, data: { status } });
    this.#live.tell({ type: "breakpoint.changed", namespace: "", runId, data: { breakpoint } });
    this.#told = told;
  }
}

function toldOf(state: SessionState): string {
  return `${statusOf(state)}/${breakpointOf(state)}`;
}

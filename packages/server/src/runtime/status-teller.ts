import { breakpointOf } from "../session/breakpoint.ts";
import { type SessionState, statusOf } from "../session/state.ts";
import type { LiveText } from "./live-text.ts";

/** Tells followers a session's status and breakpoint, when they changed. */
export class StatusTeller {
  readonly #live: LiveText;
  #told = "";

  constructor(live: LiveText) {
    this.#live = live;
  }

  tell(state: SessionState): void {
    const status = statusOf(state);
    const breakpoint = breakpointOf(state);
    const told = `${status}/${breakpoint}`;
    if (told === this.#told) return;
    const runId = state.run?.id;
    if (!this.#told.startsWith(`${status}/`))
      this.#live.tell({ type: "session.status", namespace: "", runId, data: { status } });
    this.#live.tell({ type: "breakpoint.changed", namespace: "", runId, data: { breakpoint } });
    this.#told = told;
  }
}

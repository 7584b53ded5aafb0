import type { SessionEvent } from "@berth/contract";
import { evolve } from "../session/evolve.ts";
import { type NewEvent, placeOf, stamp } from "../session/new-event.ts";
import type { SessionState } from "../session/state.ts";

/** The events of the next commit and the state that they lead to. Nothing of it is true before the store has it. */
export class Draft {
  readonly before: SessionState;
  state: SessionState;
  readonly events: SessionEvent[] = [];
  readonly taken: string[] = [];
  readonly blobs: string[] = [];
  readonly #at: string;
  /** Written before the first event, and not at all when there is none. */
  #lead: readonly NewEvent[];

  constructor(before: SessionState, now: number, lead: readonly NewEvent[] = []) {
    this.before = before;
    this.state = before;
    this.#at = new Date(now).toISOString();
    this.#lead = lead;
  }

  get empty(): boolean {
    return this.events.length === 0;
  }

  /** Adds events after what is there. A session.rewound goes on from the state at its target. */
  add(events: readonly NewEvent[], rewindTarget?: SessionState): void {
    if (events.length === 0) return;
    const whole = [...this.#lead, ...events];
    this.#lead = [];
    for (const event of stamp(placeOf(this.state), whole, this.#at)) {
      const base = event.type === "session.rewound" && rewindTarget !== undefined ? rewindTarget : this.state;
      this.state = evolve(base, event);
      this.events.push(event);
    }
  }
}

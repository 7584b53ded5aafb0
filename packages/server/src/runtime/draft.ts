import type { SessionEvent } from "@berth/contract";
import { evolve } from "../session/evolve.ts";
import { type NewEvent, placeOf, stamp } from "../session/new-event.ts";
import { spendingOf } from "../session/spending.ts";
import type { SessionState } from "../session/state.ts";
import { type Reserve, toNanos } from "../store/budgets.ts";
import type { LedgerEntry } from "../store/usage.ts";

interface Mark {
  readonly state: SessionState;
  readonly lead: readonly NewEvent[];
  readonly lengths: readonly number[];
}

/** The events of the next commit and the state that they lead to. Nothing of it is true before the store has it. */
export class Draft {
  readonly before: SessionState;
  state: SessionState;
  readonly events: SessionEvent[] = [];
  readonly taken: string[] = [];
  readonly blobs: string[] = [];
  /** Calls that the events end. */
  readonly settles: LedgerEntry[] = [];
  /** Model calls that the events begin. */
  readonly reserves: Reserve[] = [];
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
    return this.events.length === 0 && this.settles.length === 0;
  }

  /** Where the draft stands, to come back to. */
  mark(): Mark {
    const { state, events, taken, blobs, settles, reserves } = this;
    const lengths = [events, taken, blobs, settles, reserves].map((list) => list.length);
    return { state, lead: this.#lead, lengths };
  }

  /** Takes back what was added since the mark. */
  back({ state, lead, lengths }: Mark): void {
    this.state = state;
    this.#lead = lead;
    const { events, taken, blobs, settles, reserves } = this;
    [events, taken, blobs, settles, reserves].forEach((list, index) => {
      list.length = lengths[index] ?? 0;
    });
  }

  /** Adds events after what is there. A session.rewound goes on from the state at its target. */
  add(events: readonly NewEvent[], rewindTarget?: SessionState): void {
    if (events.length === 0) return;
    const whole = [...this.#lead, ...events];
    this.#lead = [];
    for (const event of stamp(placeOf(this.state), whole, this.#at)) {
      const base = event.type === "session.rewound" && rewindTarget !== undefined ? rewindTarget : this.state;
      const spent = spendingOf(this.state, event);
      if (spent !== null) this.settles.push({ ...spent, cost: toNanos(spent.cost) });
      this.state = evolve(base, event);
      this.events.push(event);
    }
  }
}

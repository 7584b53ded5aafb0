import { real } from "./virtual-globals.ts";

/** Who takes steps: none when dead, later ones while paused. */
export interface Stepping {
  readonly name: string;
  readonly dead: boolean;
  readonly pausedUntil: number;
  /** Is told of each signal made of others in one of its steps. */
  combined(signal: AbortSignal): void;
}

interface Entry {
  at: number;
  readonly order: number;
  /** Whose step it is: dropped when that life is over, put off while it is paused. Null: the world's own. */
  readonly life: Stepping | null;
  readonly label: string;
  readonly call: () => void;
  cancelled: boolean;
}

/** One step that was taken, for the report. */
export interface Step {
  readonly at: number;
  readonly who: string;
  readonly label: string;
}

/** Steps after which the event loop goes on: only then it tells of promises that nobody handles. */
const stepsPerTurn = 200;

/** Steps at one instant after which something goes round in circles. */
const mostAtOnce = 50_000;

/** Virtual time: a heap of what is to happen, taken one by one. After each step every promise settles that can. */
export class Scheduler {
  /** Milliseconds since the world began. */
  now = 0;
  steps = 0;
  /** The life whose step is being taken. */
  current: Stepping | null = null;
  readonly #heap: Entry[] = [];
  readonly #kept: number;
  readonly #last: Step[] = [];
  #order = 0;
  #hash = 0x811c9dc5;
  #atOnce = 0;
  #stopped = false;

  /** `kept`: how many of the last steps are kept for a report. */
  constructor({ kept }: { kept: number }) {
    this.#kept = kept;
  }

  at(time: number, life: Stepping | null, label: string, call: () => void): () => void {
    const entry = { at: Math.max(time, this.now), order: this.#order++, life, label, call, cancelled: false };
    this.#push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  after(ms: number, life: Stepping | null, label: string, call: () => void): () => void {
    return this.at(this.now + Math.max(0, ms), life, label, call);
  }

  /** Steps that will be taken as far as anybody knows now. */
  get pending(): number {
    return this.#heap.filter((entry) => isPending(entry)).length;
  }

  /** Lets go of the steps that nobody will take. */
  forget(): void {
    const left = this.#heap.filter((entry) => isPending(entry));
    // In this order it is a heap.
    left.sort((one, other) => (isBefore(one, other) ? -1 : 1));
    this.#heap.length = 0;
    for (const entry of left) this.#heap.push(entry);
  }

  /** Ends `run` after the step that is being taken. */
  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes steps until a time, or until it is stopped. */
  async run(until: number): Promise<void> {
    while (!this.#stopped) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) break;
      this.#pop();
      if (!isPending(next)) continue;
      if (next.life !== null && next.life.pausedUntil > this.now && next.life.pausedUntil > next.at) {
        this.at(next.life.pausedUntil, next.life, next.label, next.call);
        continue;
      }
      this.#take(next);
      await settled();
      if (this.steps % stepsPerTurn === 0) await turn();
    }
    await turn();
    if (!this.#stopped) this.now = Math.max(this.now, until);
    this.current = null;
  }

  /** Mixes a text into the hash of this history, and into its last steps. */
  note(who: string, label: string): void {
    this.mix(who);
    this.mix(label);
    this.#last.push({ at: this.now, who, label });
    if (this.#last.length > 2 * this.#kept) this.#last.splice(0, this.#kept);
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  get lastSteps(): readonly Step[] {
    return this.#last.slice(-this.#kept);
  }

  #take(entry: Entry): void {
    this.#atOnce = entry.at === this.now ? this.#atOnce + 1 : 0;
    if (this.#atOnce > mostAtOnce) throw new Error(`time does not go on: ${entry.label}`);
    this.now = entry.at;
    this.steps += 1;
    this.current = entry.life;
    this.note(entry.life?.name ?? "", entry.label);
    entry.call();
  }

  /** Mixes a text into the hash of this history. */
  mix(text: string): void {
    let hash = this.#hash;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    this.#hash = Math.imul(hash ^ (this.now * 1_000), 0x01000193);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function isPending({ cancelled, life }: Entry): boolean {
  return !cancelled && life?.dead !== true;
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

/** Resolves when no promise is left that can settle: ticks run when the microtasks are done (0.4 us; an immediate costs 4). */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function turn(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve));
}

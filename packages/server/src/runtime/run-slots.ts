/** What may hold a slot. */
export interface SlotHolder {
  /** A slot became free: try again. */
  nudge(): void;
}

/** Bounds how many runs go on at once. Who is refused is nudged, in order, when a slot is free. A run that only waits gives its slot back. */
export class RunSlots {
  readonly #size: number;
  readonly #taken = new Set<SlotHolder>();
  readonly #waiting = new Set<SlotHolder>();

  constructor(size: number) {
    this.#size = size;
  }

  /** True when the holder has a slot now. */
  take(holder: SlotHolder): boolean {
    if (this.#taken.has(holder)) return true;
    if (this.#taken.size >= this.#size) {
      this.#waiting.add(holder);
      return false;
    }
    this.#waiting.delete(holder);
    this.#taken.add(holder);
    return true;
  }

  free(holder: SlotHolder): void {
    this.#waiting.delete(holder);
    if (!this.#taken.delete(holder)) return;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next.nudge();
  }
}

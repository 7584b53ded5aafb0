/** How many are remembered: deltas come late by seconds at most. */
const remembered = 256;

/** Blocks of text whose finished event is in the log: their deltas say nothing any more. */
export class FinishedBlocks {
  readonly #blocks = new Set<string>();

  add(block: string): void {
    this.#blocks.add(block);
    if (this.#blocks.size <= remembered) return;
    for (const oldest of this.#blocks) {
      this.#blocks.delete(oldest);
      return;
    }
  }

  has(block: string): boolean {
    return this.#blocks.has(block);
  }
}

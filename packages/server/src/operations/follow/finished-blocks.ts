import type { TextPlace } from "./live-item.ts";

/** How many are remembered: deltas come late by seconds at most. */
const remembered = 256;

/**
 * Blocks of text whose finished event is in the log, and messages whose step is over, which finishes what it left open: their deltas say
 * nothing any more.
 */
export class FinishedBlocks {
  readonly #blocks = new Set<string>();

  /** The key of a block, or the id of a message for all of its blocks. */
  add(text: string): void {
    this.#blocks.add(text);
    if (this.#blocks.size <= remembered) return;
    for (const oldest of this.#blocks) {
      this.#blocks.delete(oldest);
      return;
    }
  }

  has({ block, messageId }: Pick<TextPlace, "block" | "messageId">): boolean {
    return this.#blocks.has(block) || this.#blocks.has(messageId);
  }
}

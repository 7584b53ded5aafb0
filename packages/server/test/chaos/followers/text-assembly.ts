import type { LiveEvent, SessionEvent, StreamEvent } from "@berth/contract";

type Delta = LiveEvent<"agent.message.delta" | "agent.thinking.delta" | "agent.tool_use.delta">;

interface Block {
  attempt: number;
  text: string;
  /** The connection over which it was last added to. */
  connection: number;
}

/** How texts that were put together from deltas compare with the finished blocks. */
export interface TextTally {
  /** Deltas taken. */
  deltas: number;
  /** Blocks whose assembled text was the whole text when the finished block came. */
  whole: number;
  /** Blocks of which only a beginning had been seen: the finished block came first. */
  beginnings: number;
  /** Blocks that another attempt had finished while the connection was broken. */
  replaced: number;
}

/**
 * What a client shows while a model writes, put together from deltas alone: a higher attempt replaces the text, a lower one is
 * dropped. `wrong` is told of each hole and of each text that is no beginning of the finished one.
 */
export class TextAssembly {
  readonly tally: TextTally = { deltas: 0, whole: 0, beginnings: 0, replaced: 0 };
  readonly #blocks = new Map<string, Block>();
  readonly #finished = new Set<string>();
  readonly #wrong: (story: string) => void;
  #connection = 0;

  constructor(wrong: (story: string) => void) {
    this.#wrong = wrong;
  }

  /** Another connection follows: a server may have died with the old one, and its attempt with it. */
  reconnected(): void {
    this.#connection += 1;
  }

  take(event: StreamEvent): void {
    switch (event.type) {
      case "agent.message.delta":
      case "agent.thinking.delta":
      case "agent.tool_use.delta":
        return this.#delta(event);
      case "agent.message":
      case "agent.thinking":
        return this.#finish(event);
      case "agent.tool_use":
        return this.#finishCall(event);
      default:
    }
  }

  #delta({ data }: Delta): void {
    const key = keyOf(data);
    if (this.#finished.has(key)) return;
    this.tally.deltas += 1;
    const { attempt, offset, text } = data;
    const before = this.#blocks.get(key);
    if (before !== undefined && attempt < before.attempt) return;
    if (before === undefined || attempt > before.attempt) {
      if (offset > 0) this.#wrong(`${key}: the first delta of attempt ${attempt} has offset ${offset}`);
      else this.#blocks.set(key, { attempt, text, connection: this.#connection });
      return;
    }
    before.connection = this.#connection;
    if (offset > before.text.length) {
      return this.#wrong(`${key}: a delta at ${offset} came when ${before.text.length} were there`);
    }
    const known = before.text.slice(offset, offset + text.length);
    if (!text.startsWith(known))
      return this.#wrong(`${key}: ${JSON.stringify(known)} became ${JSON.stringify(text)}`);
    before.text += text.slice(known.length);
  }

  #finish({ data }: SessionEvent<"agent.message" | "agent.thinking">): void {
    const key = keyOf(data);
    const block = this.#close(key);
    if (block === undefined) return;
    if (data.text === block.text) this.tally.whole += 1;
    else if (data.text.startsWith(block.text)) this.tally.beginnings += 1;
    else if (block.connection !== this.#connection) this.tally.replaced += 1;
    else {
      let differsAt = 0;
      while (block.text[differsAt] === data.text[differsAt]) differsAt++;
      const around = (text: string) =>
        JSON.stringify(text.slice(Math.max(0, differsAt - 20), differsAt + 20));
      this.#wrong(
        `${key}: from ${differsAt} on ${around(block.text)} was shown and ${around(data.text)} is in the log`,
      );
    }
  }

  /** Arguments are compared as values: the log keeps them parsed. */
  #finishCall({ data }: SessionEvent<"agent.tool_use">): void {
    const block = this.#close(keyOf(data));
    if (block === undefined) return;
    const text = data.rawInput ?? JSON.stringify(data.input);
    if (sameValue(block.text, text)) this.tally.whole += 1;
    else this.tally.beginnings += 1;
  }

  #close(key: string): Block | undefined {
    const block = this.#blocks.get(key);
    this.#blocks.delete(key);
    this.#finished.add(key);
    return block;
  }
}

function keyOf({ messageId, blockId }: { messageId: string; blockId: number }): string {
  return `${messageId}:${blockId}`;
}

function sameValue(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    return JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b));
  } catch {
    return false;
  }
}

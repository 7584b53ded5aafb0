import type { LiveText } from "../../../src/runtime/live-text.ts";

/** A block of text that a worker writes. */
export interface Block {
  readonly messageId: string;
  readonly blockId: number;
  readonly namespace: string;
}

export function newBlock(name: string, namespace = "", blockId = 0): Block {
  return { messageId: `msg_${name}`, blockId, namespace };
}

export function keyOf({ messageId, blockId }: Block): string {
  return `${messageId}/${blockId}`;
}

/** Writes blocks as the runtime does, and remembers the whole text of each attempt. */
export interface Writer {
  write(block: Block, text: string): void;
  /** What is written from now on belongs to the next attempt. */
  retry(block: Block): void;
  /** Something live that is no text. */
  tell(): void;
  /** Text of the newest attempt. */
  textOf(block: Block): string;
  /** Text of one attempt of a block by its key. */
  textOfAttempt(key: string, attempt: number): string;
}

export function createWriter(live: LiveText): Writer {
  const attempts = new Map<string, string[]>();
  const textsOf = (block: Block) => {
    const texts = attempts.get(keyOf(block)) ?? [""];
    attempts.set(keyOf(block), texts);
    return texts;
  };
  return {
    write(block, text) {
      const texts = textsOf(block);
      const attempt = texts.length;
      texts[attempt - 1] += text;
      const place = { type: "agent.message.delta", runId: "run_1", stepId: "stp_1", attempt } as const;
      live.append({ ...block, ...place }, text);
      // What a follower makes of each delta is looked at, not how several become one.
      live.flush();
    },
    retry: (block) => void textsOf(block).push(""),
    tell: () => live.tell({ type: "session.status", namespace: "", data: { status: "running" } }),
    textOf: (block) => textsOf(block).at(-1) ?? "",
    textOfAttempt: (key, attempt) => attempts.get(key)?.[attempt - 1] ?? "",
  };
}

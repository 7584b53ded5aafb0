import type { Block, Change, TextBlock, ToolBlock } from "./block.ts";

/** The growing list of blocks, which notes every change until it is asked for them. */
export interface Blocks {
  list(): readonly Block[];
  find(key: string): Block | undefined;
  findTool(toolUseId: string): ToolBlock | undefined;
  /** Adds the block, or puts it in the place of the one with its key. */
  put(block: Block): void;
  remove(match: (block: Block) => boolean): void;
  changes(): readonly Change[];
  /** Attempt of the newest pieces of a block; not shown, so not part of it. */
  readonly attempts: Map<string, number>;
}

export function createBlocks(): Blocks {
  const byKey = new Map<string, Block>();
  const attempts = new Map<string, number>();
  let noted: Change[] = [];
  let listed: readonly Block[] | null = null;
  return {
    attempts,
    list: () => (listed ??= [...byKey.values()]),
    find: (key) => byKey.get(key),
    findTool(toolUseId) {
      const found = byKey.get(toolUseId);
      return found?.kind === "tool" ? found : undefined;
    },
    put(block) {
      const before = byKey.get(block.key);
      byKey.set(block.key, block);
      if (!isUnfinished(block)) attempts.delete(block.key);
      listed = null;
      noted.push(before === undefined ? { type: "added", block } : { type: "changed", block, before });
    },
    remove(match) {
      for (const block of [...byKey.values()].filter(match)) {
        byKey.delete(block.key);
        attempts.delete(block.key);
        listed = null;
        noted.push({ type: "removed", block });
      }
    },
    changes() {
      const changes = noted;
      noted = [];
      return changes;
    },
  };
}

export function textKey(data: { messageId: string; blockId: number }): string {
  return `${data.messageId}:${data.blockId}`;
}

/** A block of a model call that is still under way, or was when its server died. */
export function isUnfinished(block: Block): block is TextBlock | ToolBlock {
  if (block.kind === "tool") return block.state === "writing";
  return (block.kind === "text" || block.kind === "thinking") && !block.done;
}

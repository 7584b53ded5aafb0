import type { Block, Change, TextBlock, ToolBlock } from "./block.ts";

/** Where the newest piece of an unfinished block came from; not shown, so not part of it. */
interface Origin {
  readonly attempt: number;
  /** Null when the server did not say. */
  readonly stepId: string | null;
}

/** The growing list of blocks, which notes every change until it is asked for them. */
export interface Blocks {
  list(): readonly Block[];
  find(key: string): Block | undefined;
  findTool(toolUseId: string): ToolBlock | undefined;
  /** Adds the block, or puts it in the place of the one with its key. */
  put(block: Block): void;
  remove(match: (block: Block) => boolean): void;
  /** Removes blocks of model calls that are over and will not finish them. */
  removeUnfinished(isOver: (block: Block, origin: Origin | undefined) => boolean): void;
  changes(): readonly Change[];
  /** Of the blocks that are unfinished. */
  readonly origins: Map<string, Origin>;
}

export function createBlocks(): Blocks {
  const byKey = new Map<string, Block>();
  const origins = new Map<string, Origin>();
  let noted: Change[] = [];
  let listed: readonly Block[] | null = null;
  function remove(match: (block: Block) => boolean): void {
    for (const block of [...byKey.values()].filter(match)) {
      byKey.delete(block.key);
      origins.delete(block.key);
      listed = null;
      noted.push({ type: "removed", block });
    }
  }
  return {
    origins,
    remove,
    removeUnfinished: (isOver) =>
      remove((block) => isUnfinished(block) && isOver(block, origins.get(block.key))),
    list: () => (listed ??= [...byKey.values()]),
    find: (key) => byKey.get(key),
    findTool(toolUseId) {
      const found = byKey.get(toolUseId);
      return found?.kind === "tool" ? found : undefined;
    },
    put(block) {
      const before = byKey.get(block.key);
      byKey.set(block.key, block);
      if (!isUnfinished(block)) origins.delete(block.key);
      listed = null;
      noted.push(before === undefined ? { type: "added", block } : { type: "changed", block, before });
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

import type { StreamEvent } from "@berth/contract";
import type { Block, Change } from "./block.ts";
import { type Blocks, createBlocks } from "./blocks.ts";
import { takeLive } from "./take-live.ts";
import { takeModelEvent } from "./take-model-event.ts";
import { takeRunEvent } from "./take-run-event.ts";
import { takeToolEvent } from "./take-tool-event.ts";

/** A conversation as blocks to show, made of a session's events and of the live pieces between them. */
export interface Transcript {
  /** In the order in which they began. A changed block is a new object, so that a screen can compare. */
  readonly blocks: readonly Block[];
  /** Takes the next event of a follower; returns what changed, in order. */
  apply(event: StreamEvent): readonly Change[];
}

/** An empty transcript, for events from the first on or from any cursor on. */
export function createTranscript(): Transcript {
  const blocks = createBlocks();
  return {
    get blocks() {
      return blocks.list();
    },
    apply(event) {
      take(blocks, event);
      return blocks.changes();
    },
  };
}

function take(blocks: Blocks, event: StreamEvent): void {
  switch (event.type) {
    case "agent.message.delta":
    case "agent.thinking.delta":
    case "agent.tool_use.delta":
    case "agent.tool_progress":
      return takeLive(blocks, event);
    case "user.message":
    case "system.message":
    case "agent.message":
    case "agent.thinking":
    case "step.finished":
    case "model.retried":
    case "model.fell_back":
    case "context.compacted":
      return takeModelEvent(blocks, event);
    case "agent.tool_use":
    case "agent.tool_started":
    case "agent.tool_result":
    case "approval.requested":
    case "approval.decided":
    case "approval.expired":
    case "input.requested":
      return takeToolEvent(blocks, event);
    case "subagent.started":
    case "subagent.finished":
    case "run.finished":
    case "session.rewound":
    case "session.resumed":
    case "input.refused":
    case "error":
    case "budget.reached":
    case "budget.warned":
    case "sandbox.allocated":
    case "sandbox.released":
      return takeRunEvent(blocks, event);
    default:
      // Events that change no block, also those of a newer server.
      return;
  }
}

import type {
  AgentRef,
  Approval,
  Content,
  EventData,
  Recovery,
  RunReason,
  ToolContent,
  ToolErrorType,
  Usage,
} from "@berth/contract";

interface Placed {
  /** Unique within the transcript and stable while the block grows. */
  readonly key: string;
  /** Path of the sub-agent; empty for the session's own agent. */
  readonly namespace: string;
  readonly runId: string | null;
  /** Its place in the log; null while it is only live. */
  readonly seq: number | null;
}

/** What a person or a program said. */
export interface MessageBlock extends Placed {
  readonly kind: "message";
  readonly from: "user" | "system";
  readonly content: Content;
}

/** What a model wrote. Until `done` the text is a beginning of what it will be, or empty. */
export interface TextBlock extends Placed {
  readonly kind: "text" | "thinking";
  readonly messageId: string;
  readonly text: string;
  readonly done: boolean;
  /** The run was cancelled while this was written. */
  readonly partial: boolean;
}

export type ToolState =
  | "writing"
  | "pending"
  | "asking"
  | "requested"
  | "running"
  | "ok"
  | "failed"
  | "denied";

/** A tool call, from the first character of its arguments to its result. */
export interface ToolBlock extends Placed {
  readonly kind: "tool";
  readonly toolUseId: string;
  readonly messageId: string;
  readonly name: string;
  readonly state: ToolState;
  /** Undefined while the model still writes them. */
  readonly input: unknown;
  /** The arguments as far as the model has written them. */
  readonly inputText: string;
  /** The end of what the tool reports while it runs. */
  readonly progress: string;
  /** How much of the progress is missing before `progress`, UTF-16 code units. */
  readonly progressFrom: number;
  readonly approval: (EventData<"approval.requested"> & { readonly status: Approval["status"] }) | null;
  readonly result: {
    readonly ok: boolean;
    readonly content: ToolContent;
    readonly errorType?: ToolErrorType;
    readonly note?: string;
    readonly suggestions?: readonly string[];
    readonly durationMs?: number;
  } | null;
}

/** A sub-agent at work; its own blocks carry `child` as their namespace. */
export interface SubagentBlock extends Placed {
  readonly kind: "subagent";
  readonly child: string;
  readonly toolUseId: string;
  readonly agent: AgentRef;
  readonly task: string;
  readonly reason: RunReason | null;
}

/** How a run ended. */
export interface RunBlock extends Placed {
  readonly kind: "run";
  readonly reason: RunReason;
  readonly usage: Usage;
  readonly cost: number | null;
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
  readonly recovery: readonly Recovery[];
}

/** Something to know that is none of these: a retry, a compaction, an input that was refused. */
export interface NoticeBlock extends Placed {
  readonly kind: "notice";
  readonly level: "info" | "error";
  readonly code: string;
  readonly text: string;
}

export type Block = MessageBlock | TextBlock | ToolBlock | SubagentBlock | RunBlock | NoticeBlock;

/** What an event did to the transcript. */
export type Change =
  | { readonly type: "added"; readonly block: Block }
  /** `before` is the block as it was: text grew when the new one begins with the old one's. */
  | { readonly type: "changed"; readonly block: Block; readonly before: Block }
  | { readonly type: "removed"; readonly block: Block };

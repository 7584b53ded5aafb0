import type {
  AcceptedInput,
  Content,
  DecideBody,
  ErrorInfo,
  EventData,
  OnBusy,
  Recovery,
  RunReason,
  ToolContent,
  Usage,
} from "@berth/contract";
import type { FollowedEvent } from "../event-frame.ts";
import type { FollowState } from "../follow.ts";

/** What a tool call wants to do, and who asks. */
export type ApprovalRequest = EventData<"approval.requested"> & { readonly namespace: string };

/** A tool that runs here. What it returns goes to the model (as JSON unless it is a string); what it throws, as an error. */
export type ClientToolHandler = (
  input: unknown,
  context: { readonly toolUseId: string; readonly signal: AbortSignal },
) => Promise<unknown>;

export interface RunHandlers {
  /** By tool name. A call of a tool that is not here waits for somebody else's answer. */
  readonly tools?: Readonly<Record<string, ClientToolHandler>>;
  /** Undefined leaves the decision to somebody else. The signal aborts when one has come. */
  readonly onApproval?: (
    request: ApprovalRequest,
    context: { readonly signal: AbortSignal },
  ) => Promise<DecideBody | undefined>;
  /** Every event of the session while the run goes on, live ones too. */
  readonly onEvent?: (event: FollowedEvent) => void;
  readonly onState?: (state: FollowState) => void;
  /** Stops watching; the run goes on. */
  readonly signal?: AbortSignal;
}

export interface RunOptions extends RunHandlers {
  readonly text?: string;
  /** Instead of text: text, images and files. */
  readonly content?: Content;
  readonly onBusy?: OnBusy;
  readonly idempotencyKey?: string;
  /** The message is safe on the server; its run may still wait in the queue. */
  readonly onAccepted?: (input: AcceptedInput) => void;
}

export interface ToolCall {
  readonly toolUseId: string;
  readonly name: string;
  readonly namespace: string;
  readonly input: unknown;
  /** Null when the run ended without. */
  readonly ok: boolean | null;
  readonly content: ToolContent | null;
}

export interface RunResult {
  readonly sessionId: string;
  /** The agent's last message. */
  readonly text: string;
  readonly run: {
    readonly id: string;
    readonly status: "completed" | "failed" | "cancelled";
    readonly reason: RunReason;
    readonly usage: Usage;
    /** US dollars; null when a model has no price. */
    readonly cost: number | null;
    readonly steps: number;
    readonly durationMs: number;
    readonly error: ErrorInfo | null;
    readonly recovery: readonly Recovery[];
  };
  readonly toolCalls: readonly ToolCall[];
}

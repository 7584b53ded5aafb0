import type { BlobRef, Effect, EventData, Todo, ToolContent, ToolErrorType } from "@berth/contract";
import type { Sandbox, SandboxFiles } from "../sandbox/sandbox.ts";

/** What a tool may touch, filled by runtime. Tools import nothing more. */
export interface ToolContext {
  readonly orgId: string;
  readonly sessionId: string;
  readonly runId: string;
  readonly toolUseId: string;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970. */
  now(): number;
  /** The session's sandbox; given out at the first call. For what runs something: files need none. */
  sandbox(): Promise<Sandbox>;
  /** The session's files, without a sandbox. */
  files(): Promise<SandboxFiles>;
  /** An address at which people reach a port of the sandbox, and until when. Rejects with `preview_not_configured` where there are none. */
  openPort(port: {
    readonly sandboxId: string;
    readonly port: number;
    readonly ttlMs: number;
  }): Promise<{ readonly url: string; readonly expiresAt: string }>;
  todos(): readonly Todo[];
  /** Stores bytes in the organization's blob store. */
  putBlob(data: Uint8Array, mediaType?: string): Promise<BlobRef>;
  /** An HTTP GET that refuses private addresses, checks every redirect and caps the body. */
  fetch: SafeFetch;
  /** Shown live to followers; never stored. */
  progress(text: string): void;
}

export type SafeFetch = (
  url: string,
  options: { maxBytes: number; timeoutMs: number; signal: AbortSignal },
) => Promise<FetchedPage>;

export interface FetchedPage {
  readonly url: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly truncated: boolean;
}

/** Events that a tool's success writes to the log, in the same commit as its result. */
export type ToolEvent =
  | { readonly type: "todo.changed"; readonly data: EventData<"todo.changed"> }
  | { readonly type: "file.changed"; readonly data: EventData<"file.changed"> };

export type ToolOutcome =
  | {
      readonly ok: true;
      readonly content: ToolContent;
      readonly events?: readonly ToolEvent[];
      readonly output?: BlobRef;
      readonly note?: string;
    }
  | {
      readonly ok: false;
      readonly errorType: ToolErrorType;
      readonly message: string;
      readonly retryable?: boolean;
      readonly suggestions?: readonly string[];
      /** What there was before it failed, for example a command's output. */
      readonly content?: string;
      readonly output?: BlobRef;
    };

export interface Tool<Input = unknown> {
  readonly name: string;
  /** The prompt: the text of the .md file beside the tool. */
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  readonly effect: Effect;
  /** Changes or may change the workspace: its manifest is taken at the run's end. */
  readonly touchesWorkspace: boolean;
  /** Is refused where there is no sandbox. */
  readonly needsSandbox?: true;
  /** Its effects can reach outside the workspace: listed when a rewind undoes it. */
  readonly reachesOutside: boolean;
  /** The argument that a permission rule's pattern is matched with, as `command` in `bash_run(git *)`. */
  readonly mainArgument?: string;
  readonly timeoutMs: number;
  /** The input has passed the schema. Never throws for what a model or a tenant can cause; what it throws is a bug and is told as one. */
  run(input: Input, context: ToolContext): Promise<ToolOutcome>;
}

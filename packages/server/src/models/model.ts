import type { ContentPart, ModelInfo, ModelSettings, ToolContent, Usage } from "@berth/contract";

/** What a model is told: a provider-neutral conversation. Tool results follow the assistant message that asked for them. */
export type ModelMessage =
  | { readonly role: "user"; readonly content: readonly ContentPart[] }
  | { readonly role: "assistant"; readonly content: readonly AssistantPart[] }
  | { readonly role: "tool"; readonly results: readonly ModelToolResult[] };

export type AssistantPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string; readonly signature?: string }
  | {
      readonly type: "tool_call";
      readonly id: string;
      readonly name: string;
      readonly input: unknown;
      readonly signature?: string;
    };

export interface ModelToolResult {
  /** Id of the tool call that it answers (our tool use id). */
  readonly id: string;
  readonly name: string;
  readonly ok: boolean;
  readonly content: ToolContent;
}

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
}

export interface ModelRequest {
  /** The model's name at its provider (without `provider/`). */
  readonly model: string;
  readonly system: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  readonly settings: ModelSettings;
}

export type ModelErrorCode =
  | "rate_limited"
  | "overloaded"
  | "server_error"
  | "connection_failed"
  | "timeout"
  | "cut_off"
  | "bad_response"
  | "context_length_exceeded"
  | "invalid_request"
  | "authentication_failed"
  | "content_filtered"
  | "circuit_open"
  | "model_not_found"
  | "aborted";

export interface ModelError {
  readonly code: ModelErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  /** From `Retry-After`, milliseconds. */
  readonly retryAfterMs?: number;
}

export type ModelFinish = "stop" | "tool_calls" | "length" | "content_filter";

/**
 * The closed union of what a stream yields. Blocks are numbered from 0 in the order in which they begin, and `text`, `thinking` and
 * `tool_input` append to theirs. Exactly one of `finish` and `error` comes, and it comes last.
 * `retry` and `fallback` (written by retry.ts) void every block so far: the answer begins anew at block 0.
 * At most one `usage` comes, of the attempt that ended the stream, right before the last part. Its `inputTokens` are the whole
 * input, cached tokens included; its `outputTokens` hold the reasoning.
 */
export type ModelPart =
  | { readonly type: "text"; readonly block: number; readonly text: string }
  | { readonly type: "thinking"; readonly block: number; readonly text: string; readonly signature?: string }
  | { readonly type: "tool_call"; readonly block: number; readonly name: string; readonly signature?: string }
  | { readonly type: "tool_input"; readonly block: number; readonly text: string }
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "retry"; readonly attempt: number; readonly delayMs: number; readonly error: ModelError }
  | { readonly type: "fallback"; readonly from: string; readonly to: string; readonly error: ModelError }
  | { readonly type: "finish"; readonly finish: ModelFinish }
  | { readonly type: "error"; readonly error: ModelError };

/**
 * One provider's way to talk. The stream never throws and ends soon after the signal aborts (with `error` code `aborted`).
 * It yields arrays, one for each piece that came over the network, so that a token costs no promise of its own.
 */
export interface ModelAdapter {
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<readonly ModelPart[]>;
}

export interface ResolvedModel {
  readonly adapter: ModelAdapter;
  readonly info: ModelInfo;
  /** The name without its provider. */
  readonly model: string;
}

/** Which models there are: `provider/model` to an adapter. A provider that takes any name answers for names it never listed. */
export interface ModelCatalog {
  resolve(name: string): ResolvedModel | null;
  list(): Promise<readonly ModelInfo[]>;
}

export interface ModelCall {
  /** `provider/model` names, the wanted one first, then its fallbacks. */
  readonly models: readonly string[];
  readonly request: Omit<ModelRequest, "model">;
}

/** What runtime uses: a call with retries, circuit breakers and fallbacks behind it (models/retry.ts). */
export interface ModelClient {
  /** True when a name can be resolved now. */
  knows(name: string): boolean;
  info(name: string): ModelInfo | null;
  stream(call: ModelCall, signal: AbortSignal): AsyncIterable<readonly ModelPart[]>;
  /** US dollars of a usage, null when the model has no price. */
  cost(name: string, usage: Usage): number | null;
  list(): Promise<readonly ModelInfo[]>;
}

/** Whose models: before the server's come those of an organization, and before them those of an owner of sessions in it. */
export interface ModelScope {
  readonly orgId: string;
  readonly owner: string;
}

/** The models of one scope. What is not `ready` knows the server's models alone; a stream makes it so by itself. */
export interface ScopedModels extends ModelClient {
  /** Reads what has changed since the last time, at most every two seconds. Rejects when it cannot be read. */
  ready(): Promise<void>;
}

/** The server's models, and with `of` those of everybody else. */
export interface Models extends ModelClient {
  of(scope: ModelScope): ScopedModels;
}

import { z } from "zod";
import { runLimits } from "./agent.ts";
import { budgetNotice } from "./budget.ts";
import { blobRef, content, toolContent } from "./content.ts";
import { idSchema, timestamp } from "./id.ts";
import { sandboxAllocationStrategy } from "./user-config.ts";

export const actor = z.strictObject({
  type: z.enum(["user", "service", "agent", "system"]),
  id: z.string(),
});
export type Actor = z.infer<typeof actor>;

export const usage = z.strictObject({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  reasoningTokens: z.int().nonnegative(),
});
export type Usage = z.infer<typeof usage>;

/** US dollars; `null` when the model has no price. */
export const cost = z.number().nonnegative().nullable();

export const runReason = z.enum([
  "end_turn",
  "interrupted",
  "budget_reached",
  "limit_reached",
  "retries_exhausted",
  "denied",
  "quarantined",
  "error",
]);
export type RunReason = z.infer<typeof runReason>;

export const effect = z.enum(["pure", "idempotent", "once"]);
export type Effect = z.infer<typeof effect>;

export const toolErrorType = z.enum(["validation", "runtime", "timeout", "aborted", "denied", "interrupted"]);
export type ToolErrorType = z.infer<typeof toolErrorType>;

export const todo = z.strictObject({
  id: z.string().min(1).max(64),
  content: z.string().min(1).max(2_000),
  status: z.enum(["pending", "in_progress", "completed", "cancelled"]),
});
export type Todo = z.infer<typeof todo>;

export const errorInfo = z.strictObject({ code: z.string(), message: z.string(), retryable: z.boolean() });
export type ErrorInfo = z.infer<typeof errorInfo>;

/** What a caller can do after a run that did not end well: `request` is a call of this API, ready to send. */
export const recovery = z.strictObject({
  action: z.enum(["retry", "raise_limit", "change_model", "approve", "fork"]),
  label: z.string(),
  request: z.strictObject({
    method: z.enum(["POST", "PATCH", "PUT"]),
    path: z.string(),
    body: z.record(z.string(), z.unknown()).optional(),
  }),
});
export type Recovery = z.infer<typeof recovery>;

export const agentRef = z.strictObject({ id: idSchema("agent"), version: z.int().min(1), name: z.string() });
export type AgentRef = z.infer<typeof agentRef>;

/** What keeps a sandbox from the rest of the machine; `none`: nothing does. */
export const sandboxIsolation = z.enum(["none", "process", "namespace", "gvisor", "vm"]);

const metadata = z.record(z.string().max(64), z.string().max(2_000));
const toolUseId = idSchema("toolUse");
const messageId = idSchema("message");
const approvalId = idSchema("approval");
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** Data of every event that is kept in a session's log, by type. */
export const persistedEvents = {
  "session.created": z.strictObject({
    agent: agentRef,
    owner: z.string(),
    key: z.string().nullable(),
    title: z.string().nullable(),
    metadata,
    model: z.string().nullable(),
  }),
  "session.updated": z.strictObject({
    title: z.string().nullable().optional(),
    metadata: metadata.optional(),
    model: z.string().nullable().optional(),
    agent: agentRef.optional(),
  }),
  "session.forked": z.strictObject({
    fromSessionId: idSchema("session"),
    fromSeq: z.int().nonnegative(),
    owner: z.string(),
    title: z.string().nullable(),
    manifest: hash.nullable().describe("the workspace manifest that was restored"),
    files: z.enum(["exact", "earlier"]).optional().describe("as in session.rewound"),
  }),
  "session.rewound": z.strictObject({
    toSeq: z.int().nonnegative(),
    cause: z.enum(["rewind", "rollback"]),
    manifest: hash.nullable(),
    manifestSeq: z.int().nullable(),
    files: z
      .enum(["exact", "earlier", "left"])
      .optional()
      .describe("exact: those of that place; earlier: without what tools had changed; left: not restored"),
    usage,
    outsideEffects: z
      .array(z.strictObject({ toolUseId, name: z.string(), seq: z.int() }))
      .describe("tool calls in the undone range whose effects reach outside the workspace"),
  }),
  "session.resumed": z.strictObject({
    strategy: z.enum(["continue", "seal"]),
    sealed: z.array(toolUseId),
    epoch: z.int(),
  }),
  "session.archived": z.strictObject({ archived: z.boolean() }),
  "user.message": z.strictObject({
    content,
    runId: idSchema("run"),
    steered: z.boolean().optional(),
  }),
  "system.message": z.strictObject({ content }),
  "user.interrupt": z.strictObject({ reason: z.string().optional() }),
  "input.refused": z.strictObject({
    code: z.string(),
    message: z.string(),
    inputType: z.string(),
    ref: z.string().optional().describe("what the input was about: an approval, a tool use, a run"),
  }),
  "run.started": z.strictObject({
    agent: agentRef,
    model: z.string(),
    limits: runLimits,
    traceparent: z.string().optional(),
  }),
  "run.finished": z.strictObject({
    reason: runReason,
    usage,
    cost,
    steps: z.int().nonnegative(),
    durationMs: z.number().nonnegative(),
    error: errorInfo.optional(),
    recovery: z.array(recovery).optional(),
    manifest: hash.optional().describe("the workspace as this run left it, when it changed"),
  }),
  "step.started": z.strictObject({ model: z.string(), estimatedTokens: z.int().nonnegative() }),
  "step.finished": z.strictObject({
    model: z.string(),
    usage,
    cost,
    ttftMs: z.number().nullable(),
    durationMs: z.number().nonnegative(),
    finish: z.enum(["stop", "tool_calls", "length", "content_filter", "cancelled", "error"]),
    estimated: z.boolean().optional(),
  }),
  "agent.thinking": z.strictObject({
    messageId,
    blockId: z.int().nonnegative(),
    text: z.string(),
    signature: z
      .string()
      .optional()
      .describe("the provider's proof of its own reasoning, sent back unchanged"),
  }),
  "agent.message": z.strictObject({
    messageId,
    blockId: z.int().nonnegative(),
    text: z.string(),
    partial: z.boolean().optional().describe("the run was cancelled while this was written"),
  }),
  "agent.tool_use": z.strictObject({
    toolUseId,
    messageId,
    blockId: z.int().nonnegative(),
    name: z.string(),
    input: z.unknown(),
    inputHash: hash.describe("SHA-256 of the canonical JSON of input"),
    kind: z.enum(["server", "client", "delegate", "unknown"]),
    effect,
    permission: z.enum(["allow", "ask", "deny"]),
    rule: z.string().optional().describe("the rule or mode that decided the permission"),
    invalid: z.string().optional().describe("why the input is refused"),
    rawInput: z.string().optional().describe("what the model wrote, when it is no JSON"),
    timeoutMs: z.int().optional().describe("client tools: how long the run waits"),
    signature: z.string().optional(),
  }),
  "agent.tool_started": z.strictObject({ toolUseId, effect, attempt: z.int(), inputHash: hash }),
  "agent.tool_result": z.strictObject({
    toolUseId,
    name: z.string(),
    ok: z.boolean(),
    content: toolContent,
    errorType: toolErrorType.optional(),
    retryable: z.boolean().optional(),
    note: z.string().optional(),
    suggestions: z.array(z.string()).optional(),
    sealed: z.boolean().optional().describe("written for a call whose result was lost or not waited for"),
    durationMs: z.number().nonnegative().optional(),
    output: blobRef.optional().describe("the whole output, when content is cut"),
    executedHash: hash.optional().describe("hash of the arguments that the tool ran with"),
  }),
  "subagent.started": z.strictObject({
    toolUseId,
    namespace: z.string(),
    agent: agentRef,
    model: z.string(),
    task: z.string(),
    depth: z.int().min(1),
  }),
  "subagent.finished": z.strictObject({
    toolUseId,
    namespace: z.string(),
    reason: runReason,
    result: z.string(),
  }),
  "approval.requested": z.strictObject({
    approvalId,
    toolUseId,
    name: z.string(),
    input: z.unknown(),
    inputHash: hash,
    expiresAt: timestamp,
    path: z.array(z.string()).describe("agents from the session's own down to the one that asks"),
  }),
  "approval.decided": z.strictObject({
    approvalId,
    toolUseId,
    decision: z.enum(["allow", "deny", "edit"]),
    input: z.unknown().optional(),
    inputHash: hash.optional(),
    note: z.string().optional(),
  }),
  "approval.expired": z.strictObject({ approvalId, toolUseId }),
  "input.requested": z.strictObject({
    toolUseId,
    name: z.string(),
    input: z.unknown(),
    expiresAt: timestamp,
  }),
  "budget.reached": z.strictObject({
    budgets: z.array(budgetNotice).min(1).describe("the run waits until there is more of one of them"),
  }),
  "budget.released": z.strictObject({
    cause: z
      .enum(["changed", "removed", "allowed", "period"])
      .describe("the budget was changed or removed, this run was allowed more, or a new period began"),
    budgetId: idSchema("budget").optional(),
  }),
  "budget.warned": z.strictObject({
    level: z.enum(["share", "limit"]).describe("the share from which on it is warned, or the limit itself"),
    budget: budgetNotice,
  }),
  "model.retried": z.strictObject({
    model: z.string(),
    attempt: z.int(),
    error: errorInfo,
    delayMs: z.number(),
  }),
  "model.fell_back": z.strictObject({ from: z.string(), to: z.string(), error: errorInfo }),
  "context.compacted": z.strictObject({
    method: z.enum(["summary", "stub"]),
    summary: z.string().optional(),
    keptFromSeq: z.int().describe("context items before this seq are replaced (summary) or shortened (stub)"),
    tokensBefore: z.int(),
    tokensAfter: z.int(),
    usage: usage.optional(),
    cost: cost.optional(),
  }),
  "todo.changed": z.strictObject({ todos: z.array(todo).max(200), toolUseId: toolUseId.optional() }),
  "file.changed": z.strictObject({
    path: z.string(),
    change: z.enum(["written", "deleted", "moved"]),
    to: z.string().optional(),
    blob: blobRef.optional(),
  }),
  "sandbox.allocated": z.strictObject({
    sandboxId: idSchema("sandbox"),
    allocationStrategy: sandboxAllocationStrategy,
    provider: z.string().describe("what runs it: bubblewrap, remote or local-process"),
    isolation: sandboxIsolation,
    warm: z.boolean().describe("it was ready before it was needed"),
    ms: z.number().nonnegative().describe("how long the tool waited for it, milliseconds"),
  }),
  "sandbox.released": z.strictObject({
    sandboxId: idSchema("sandbox"),
    reason: z.string().describe("why it went, for example idle_ttl or lost; the workspace stays"),
  }),
  error: errorInfo,
} as const;

export type PersistedType = keyof typeof persistedEvents;

export type EventData<T extends PersistedType> = z.infer<(typeof persistedEvents)[T]>;

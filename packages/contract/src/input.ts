import { z } from "zod";
import { modelName, runLimits, type RunLimits } from "./agent.ts";
import { content, toolContent } from "./content.ts";
import { todo } from "./event-data.ts";
import { idSchema } from "./id.ts";

export const onBusy = z.enum(["enqueue", "steer", "interrupt", "reject", "rollback"]);
export type OnBusy = z.infer<typeof onBusy>;

const clientId = z
  .string()
  .min(1)
  .max(128)
  .optional()
  .describe("the caller's own id of this input, unique per session: sent twice, it is taken once");

export const userMessageInput = z.strictObject({
  type: z.literal("user.message"),
  content,
  onBusy: onBusy.default("enqueue"),
  clientId,
});
export const systemMessageInput = z.strictObject({ type: z.literal("system.message"), content, clientId });
export const userInterruptInput = z.strictObject({
  type: z.literal("user.interrupt"),
  runId: idSchema("run")
    .optional()
    .describe("only this run, also while it is queued; default: the one that runs"),
  reason: z.string().max(2_000).optional(),
  clientId,
});
const decision = {
  decision: z.enum(["allow", "deny", "edit"]),
  input: z.unknown().optional().describe("the new arguments, with decision edit"),
  note: z.string().max(4_000).optional(),
};
const editNeedsInput = (body: { decision: string; input?: unknown }) =>
  (body.decision === "edit") === (body.input !== undefined);
const editRule = "input is needed with decision edit and refused with any other";

export const userApprovalInput = z
  .strictObject({ type: z.literal("user.approval"), approvalId: idSchema("approval"), ...decision, clientId })
  .refine(editNeedsInput, editRule);
export const userToolResultInput = z.strictObject({
  type: z.literal("user.tool_result"),
  toolUseId: idSchema("toolUse"),
  content: toolContent,
  ok: z.boolean().default(true),
  clientId,
});

/** What a caller may send to a session. */
export const sendableInput = z.union([
  userMessageInput,
  systemMessageInput,
  userInterruptInput,
  userApprovalInput,
  userToolResultInput,
]);
export type SendableInput = z.infer<typeof sendableInput>;
export type SendableInputBody = z.input<typeof sendableInput>;

/** Body of `POST /sessions/{id}/events`. */
export const sendBody = z.strictObject({ events: z.array(sendableInput).min(1).max(100) });
export const acceptedInput = z.strictObject({
  id: idSchema("input"),
  position: z.int().nonnegative().describe("how many inputs of the mailbox are before it"),
  runId: idSchema("run")
    .nullable()
    .describe("the run that a message starts; a steering message may join another"),
});
export type AcceptedInput = z.infer<typeof acceptedInput>;
export const sendReply = z.strictObject({ inputs: z.array(acceptedInput) });
export type SendReply = z.infer<typeof sendReply>;

/** Body of `POST /approvals/{id}`. */
export const decideBody = z.strictObject(decision).refine(editNeedsInput, editRule);
export type DecideBody = z.infer<typeof decideBody>;

/** Body of `POST /runs/{id}/retry`: a new run from the last safe point of one that ended, with other limits or another model if given. */
export const retryBody = z.strictObject({
  model: modelName.optional(),
  limits: z
    .strictObject({
      maxSteps: runLimits.shape.maxSteps.unwrap().optional(),
      maxDurationMs: runLimits.shape.maxDurationMs.unwrap().optional(),
      maxTokens: runLimits.shape.maxTokens.unwrap().optional(),
      maxDepth: runLimits.shape.maxDepth.unwrap().optional(),
      maxCost: runLimits.shape.maxCost,
    })
    .optional(),
});
export type RetryBody = z.infer<typeof retryBody>;

/** Inputs that operations make of other requests; never accepted from the wire as they stand. */
export type InternalInput =
  | {
      type: "session.update";
      title?: string | null;
      metadata?: Record<string, string>;
      model?: string | null;
      agent?: AgentRefInput;
    }
  | { type: "session.archive"; archived: boolean }
  | { type: "session.rewind"; toSeq: number }
  | { type: "todo.write"; todos: z.infer<typeof todo>[] }
  | { type: "file.write"; path: string; hash: string; size: number; mediaType?: string }
  | { type: "file.delete"; path: string }
  | { type: "file.move"; path: string; to: string }
  | { type: "run.retry"; runId: string; model?: string; limits?: Partial<RunLimits> }
  | { type: "timer"; kind: "approval" | "client_tool" | "budget"; ref: string }
  | { type: "budget.released"; cause: "changed" | "removed" | "allowed"; budgetId: string };

interface AgentRefInput {
  id: string;
  version: number;
  name: string;
}

export type InputBody = SendableInput | InternalInput;
export type InputType = InputBody["type"];

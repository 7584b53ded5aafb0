import { z } from "zod";
import { agentSandbox } from "./agent-sandbox.ts";
import { idSchema, timestamp } from "./id.ts";

export const agentName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "must be lower-case letters, digits and dashes, at most 63 characters");
export const toolName = z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/);
export const modelName = z
  .string()
  .max(200)
  .regex(/^[a-z0-9][a-z0-9-]*\/\S+$/, "must be provider/model, for example openai/gpt-4.1-mini");

export const jsonSchemaObject = z.record(z.string(), z.unknown()).describe("a JSON Schema of type object");

/** A tool that the caller runs: the session waits for its result. */
export const clientTool = z.strictObject({
  name: toolName,
  description: z.string().min(1).max(10_000),
  inputSchema: jsonSchemaObject,
  timeoutMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .optional()
    .describe("how long the run waits; default 24 h"),
});
export type ClientTool = z.infer<typeof clientTool>;

export const permissionMode = z.enum(["auto", "approval", "readonly"]);
export type PermissionMode = z.infer<typeof permissionMode>;

/** A rule is a tool name, optionally with `*` (`fs_*`), optionally with a pattern of its main argument: `bash_run(git *)`. */
export const permissionRule = z.string().min(1).max(300);

export const permissions = z.strictObject({
  mode: permissionMode.default("approval"),
  allow: z.array(permissionRule).max(200).default([]),
  deny: z.array(permissionRule).max(200).default([]),
  requireApproval: z.array(permissionRule).max(200).default([]),
  fourEyes: z.boolean().default(false).describe("the session's owner may not decide its approvals"),
  approvalTimeoutMs: z
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .default(86_400_000),
});
export type Permissions = z.infer<typeof permissions>;

export const runLimits = z.strictObject({
  maxSteps: z.int().min(1).max(1_000).default(50).describe("model calls of one run, sub-agents included"),
  maxDurationMs: z
    .int()
    .min(100)
    .max(7 * 86_400_000)
    .default(3_600_000)
    .describe("time of one run, waiting for people excluded"),
  maxTokens: z
    .int()
    .min(1)
    .default(2_000_000)
    .describe("input and output tokens of one run, sub-agents included"),
  maxDepth: z.int().min(0).max(8).default(3).describe("how deep agents may delegate"),
  maxCost: z
    .number()
    .positive()
    .max(1_000_000)
    .optional()
    .describe("US dollars of one run, sub-agents included; its models need prices"),
});
export type RunLimits = z.infer<typeof runLimits>;

export const modelSettings = z.strictObject({
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  maxOutputTokens: z.int().min(1).optional(),
  reasoning: z.enum(["none", "low", "medium", "high"]).optional(),
});
export type ModelSettings = z.infer<typeof modelSettings>;

/** What an agent is: the body of `POST /agents`, and of `PUT /agents/{id}` which makes the next version. A version never changes. */
export const agentDefinition = z.strictObject({
  name: agentName,
  description: z.string().max(2_000).default(""),
  model: modelName,
  fallbackModels: z.array(modelName).max(5).default([]),
  modelSettings: modelSettings.default({}),
  instructions: z.string().max(200_000).default(""),
  tools: z
    .array(z.string().min(1).max(64))
    .max(200)
    .default([])
    .describe("built-in tool names, `*` allowed as in fs_*"),
  clientTools: z.array(clientTool).max(100).default([]),
  permissions: permissions.prefault({}),
  sandbox: agentSandbox
    .prefault({})
    .describe("where its commands run; a sub-agent uses the sandbox of the session's own agent"),
  subagents: z.array(agentName).max(50).default([]).describe("names of agents that this one may delegate to"),
  limits: runLimits.prefault({}),
  contextWindow: z
    .int()
    .min(1_000)
    .optional()
    .describe("tokens; default: what the model's catalog entry says"),
});
export type AgentDefinition = z.infer<typeof agentDefinition>;
export type AgentDefinitionInput = z.input<typeof agentDefinition>;

/** An agent as the API shows it. */
export const agent = agentDefinition.extend({
  id: idSchema("agent"),
  version: z.int().min(1),
  archived: z.boolean(),
  createdAt: timestamp,
  updatedAt: timestamp,
  warnings: z.array(z.string()).optional().describe("when it is written: what is missing for it to work"),
});
export type Agent = z.infer<typeof agent>;

export const agentVersion = z.strictObject({
  agentId: idSchema("agent"),
  version: z.int().min(1),
  createdAt: timestamp,
  definition: agentDefinition,
});
export type AgentVersion = z.infer<typeof agentVersion>;

import { z } from "zod";
import { agentName, modelName } from "./agent.ts";
import { agentRef, errorInfo, recovery, runReason, todo, usage } from "./event-data.ts";
import { idSchema, timestamp } from "./id.ts";
import { acceptedInput, sendableInput } from "./input.ts";

export const sessionStatus = z.enum(["idle", "running", "waiting", "archived", "quarantined"]);
export type SessionStatus = z.infer<typeof sessionStatus>;
export const runStatus = z.enum(["queued", "running", "waiting", "completed", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof runStatus>;

const title = z.string().min(1).max(300);
const metadata = z
  .record(z.string().min(1).max(64), z.string().max(2_000))
  .refine((m) => Object.keys(m).length <= 50, "at most 50 entries");

/** Who may see a session: `private` its owner alone, `org` everybody of the organization that may read sessions. */
export const visibility = z.enum(["private", "org"]);
export type Visibility = z.infer<typeof visibility>;

/** The caller's own name of a session, unique per owner. */
export const sessionKey = z.string().min(1).max(300);

export const session = z.strictObject({
  id: idSchema("session"),
  agent: agentRef,
  owner: z.string(),
  key: z.string().nullable(),
  title: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  model: z.string().nullable().describe("overrides the agent's model"),
  visibility,
  status: sessionStatus,
  currentRunId: idSchema("run").nullable(),
  lastSeq: z.int().nonnegative(),
  generation: z.int().min(1),
  forkedFrom: z.strictObject({ sessionId: idSchema("session"), seq: z.int().nonnegative() }).nullable(),
  usage,
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Session = z.infer<typeof session>;

export const createSessionBody = z.strictObject({
  agent: z
    .union([agentName, idSchema("agent")])
    .describe("name or id; the newest version is pinned by each run"),
  key: sessionKey.optional().describe("with a key that exists: that session, 200; else a new one, 201"),
  title: title.optional(),
  metadata: metadata.optional(),
  model: modelName.optional(),
  visibility: visibility.optional().describe("default: what the organization's settings say, else private"),
  owner: z
    .union([idSchema("user"), idSchema("serviceAccount")])
    .optional()
    .describe("whose session it is, when not the caller's: needs session:act-as"),
  input: z
    .union([z.string().min(1), sendableInput])
    .optional()
    .describe("a first message, or any input"),
});
export type CreateSessionBody = z.input<typeof createSessionBody>;
export const createSessionReply = session.extend({ input: acceptedInput.optional() });
export type CreateSessionReply = z.infer<typeof createSessionReply>;

export const updateSessionBody = z
  .strictObject({
    title: title.nullable().optional(),
    metadata: metadata.optional().describe("replaces the whole of it"),
    model: modelName.nullable().optional(),
    agent: z.union([agentName, idSchema("agent")]).optional(),
    archived: z.boolean().optional(),
    visibility: visibility.optional().describe("only its owner, or who has session:manage"),
  })
  .refine((body) => Object.keys(body).length > 0, "give at least one field");
export type UpdateSessionBody = z.infer<typeof updateSessionBody>;

export const forkBody = z.strictObject({
  seq: z.int().min(1).optional().describe("default: the end of the log"),
  title: title.optional(),
});
export const rewindBody = z.strictObject({
  toSeq: z.int().min(0).describe("a step boundary of the effective log"),
});
export const todosBody = z.strictObject({ todos: z.array(todo).max(200) });
export const todosReply = z.strictObject({ todos: z.array(todo) });

/** The answer to a change that goes through a session's mailbox and was not seen in its log within 5 s. */
export const pendingInput = z.strictObject({ input: acceptedInput });

export const run = z.strictObject({
  id: idSchema("run"),
  sessionId: idSchema("session"),
  status: runStatus,
  reason: runReason.nullable(),
  error: errorInfo.nullable(),
  recovery: z.array(recovery),
  usage,
  cost: z.number().nullable(),
  steps: z.int().nonnegative(),
  createdAt: timestamp,
  startedAt: timestamp.nullable(),
  finishedAt: timestamp.nullable(),
});
export type Run = z.infer<typeof run>;

export const approvalStatus = z.enum(["pending", "allowed", "denied", "edited", "expired", "cancelled"]);
export const approval = z.strictObject({
  id: idSchema("approval"),
  sessionId: idSchema("session"),
  runId: idSchema("run"),
  toolUseId: idSchema("toolUse"),
  tool: z.string(),
  input: z.unknown(),
  inputHash: z.string(),
  path: z.array(z.string()),
  status: approvalStatus,
  decidedBy: z.string().nullable(),
  note: z.string().nullable(),
  createdAt: timestamp,
  expiresAt: timestamp,
  decidedAt: timestamp.nullable(),
});
export type Approval = z.infer<typeof approval>;

export const fileEntry = z.strictObject({
  path: z.string(),
  kind: z.enum(["file", "directory", "link", "other"]),
  size: z.int().nonnegative(),
  modifiedAt: timestamp,
});
export type FileEntry = z.infer<typeof fileEntry>;
export const fileList = z.strictObject({ items: z.array(fileEntry), truncated: z.boolean() });
export type FileList = z.infer<typeof fileList>;

export const extractedArchive = z.strictObject({
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  skipped: z
    .int()
    .nonnegative()
    .describe("what was not made: special files, hard links, and links in whose place a folder is"),
});
export type ExtractedArchive = z.infer<typeof extractedArchive>;

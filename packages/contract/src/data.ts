import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";

const count = z.int().nonnegative();

export const backup = z.strictObject({
  name: z.string(),
  path: z.string().describe("on the server"),
  status: z.enum(["running", "done", "failed"]),
  startedAt: timestamp,
  finishedAt: timestamp.nullable(),
  bytes: count.nullable().describe("size of the file"),
  progress: z.strictObject({ done: count, total: count }).nullable().describe("bytes of content"),
  missingBlobs: count
    .nullable()
    .describe("files that it could not take, because they were missing or damaged before"),
  error: z.string().nullable(),
});
export type Backup = z.infer<typeof backup>;

export const backupName = z.string().regex(/^berth-\d{8}T\d{9}Z\.backup$/, "must be the name of a backup");

export const dataScope = z.enum(["org", "user"]);
export type DataScope = z.infer<typeof dataScope>;

const person = z.union([idSchema("user"), idSchema("serviceAccount")]);

export const createExportBody = z.strictObject({
  scope: dataScope,
  userId: person.optional().describe("of scope `user`; default: the caller"),
});
export type CreateExportBody = z.input<typeof createExportBody>;

export const exportJob = z.strictObject({
  id: idSchema("export"),
  scope: dataScope,
  userId: z.string().nullable(),
  requestedBy: z.string(),
  conversations: z
    .boolean()
    .describe("whether sessions and their files are in it: not when whoever asked may read none"),
  status: z.enum(["queued", "running", "done", "failed", "expired"]),
  parts: z.record(z.string(), count).describe("what is in it so far: rows of each part"),
  bytes: count.nullable(),
  sha256: z.string().nullable(),
  error: z.string().nullable(),
  createdAt: timestamp,
  finishedAt: timestamp.nullable(),
  expiresAt: timestamp.nullable().describe("until when it can be downloaded"),
});
export type ExportJob = z.infer<typeof exportJob>;

export const createErasureBody = z.strictObject({
  scope: dataScope,
  id: z.union([idSchema("org"), person]).describe("of the organization, or of the user or service account"),
  confirm: z
    .string()
    .max(200)
    .describe("the slug of the organization; the email of the user, or the name when there is none"),
});
export type CreateErasureBody = z.input<typeof createErasureBody>;

export const erasure = z.strictObject({
  id: idSchema("receipt"),
  orgId: idSchema("org"),
  scope: dataScope,
  target: z.string(),
  requestedBy: z.string(),
  status: z.enum(["running", "done"]),
  counts: z.record(z.string(), count).describe("what was erased: rows by table, blobs, bytes, workspaces"),
  note: z.string().describe("what this erasure does not reach"),
  error: z.string().nullable().describe("why it did not get on; it is tried again"),
  createdAt: timestamp,
  finishedAt: timestamp.nullable(),
  hash: z
    .string()
    .nullable()
    .describe(
      "SHA-256 of the canonical JSON (RFC 8785) of id, orgId, scope, target, requestedBy, counts, createdAt and finishedAt",
    ),
});
export type Erasure = z.infer<typeof erasure>;

import { fileEntry } from "@berth/contract";
import { z } from "zod";
import { checkWorkspaceId, isSandboxId } from "../sandbox-id.ts";

/** Counts, sizes and milliseconds. */
const amount = z.number().nonnegative();
const count = z.int().nonnegative();
/** A sentence for people. */
const sentence = z.string().max(2_000);
const name = z.string().min(1).max(256);

export const sandboxId = z.string().refine(isSandboxId, "must be an id of a sandbox");
export const workspaceId = z.string().refine(isWorkspaceId, "must be an id of a workspace");
/** Whatever the provider takes; it says itself what is wrong with a path. */
export const path = z.string().max(16_384);
export const incarnation = z.string().min(1).max(128);
export const deployment = z.string().regex(/^[A-Za-z0-9._-]{1,128}$/);
export const ttlMs = z
  .number()
  .positive()
  .max(24 * 3_600_000);
export const processId = z.string().min(1).max(128);

const limits = z.strictObject({
  memoryBytes: amount,
  cpus: amount,
  pids: count,
  diskBytes: amount,
  inodes: count,
  tmpBytes: amount,
  shmBytes: amount,
  openFiles: count,
  fileBytes: amount,
  processes: count,
});

const rule = {
  host: z.string().min(1).max(255),
  ports: z.array(z.int().min(1).max(65_535)).max(100).readonly().exactOptional(),
};
const mostRules = 1_000;

/** As the provider is told it. */
export const policy = z.strictObject({
  limits,
  egress: z.strictObject({
    allow: z
      .array(
        z.strictObject({
          ...rule,
          secrets: z
            .array(z.strictObject({ placeholder: z.string().min(8).max(512), value: z.string().max(65_536) }))
            .max(100)
            .readonly()
            .exactOptional(),
        }),
      )
      .max(mostRules)
      .readonly(),
  }),
});

/** As the provider tells it: without the values of secrets. */
const toldPolicy = z.strictObject({
  limits,
  egress: z.strictObject({
    allow: z
      .array(
        z.strictObject({
          ...rule,
          secrets: z
            .array(z.strictObject({ placeholder: z.string().max(512), value: z.literal("") }))
            .max(100)
            .readonly()
            .exactOptional(),
        }),
      )
      .max(mostRules)
      .readonly(),
  }),
});

/** A sandbox; which host it is on is known by whom it was asked. */
export const info = z.strictObject({
  id: sandboxId,
  incarnation,
  deployment,
  template: name,
  workspaceId: workspaceId.nullable(),
  policy: toldPolicy,
  ageMs: amount,
  ttlLeftMs: z.number(),
});

export const capabilities = z.strictObject({
  isolation: z.enum(["none", "process", "namespace", "gvisor", "vm"]),
  label: z.string().max(200),
  cgroup: z.enum(["none", "v1", "v2"]),
  network: z.enum(["none", "proxy", "open"]),
  diskQuota: z.enum(["none", "watched", "image"]),
  seccomp: z.boolean(),
  pty: z.boolean(),
  ports: z.boolean(),
  reasons: z.array(sentence).max(100),
  unavailable: sentence.exactOptional(),
});

export const heartbeat = z.strictObject({
  name,
  version: z.string().max(64),
  healthy: z.boolean(),
  draining: z.boolean(),
  live: count,
  freeMemoryBytes: amount,
  freeSlots: count,
  problem: sentence.exactOptional(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

export const backgroundProcess = z.strictObject({
  id: processId,
  command: z.string(),
  running: z.boolean(),
  code: z.int().nullable(),
  startedAt: z.number(),
});

const reason = z.enum(["exit", "timeout", "killed", "output_limit", "oom", "disk_full", "lost"]);
const ending = { code: z.int().nullable(), signal: z.string().max(32).nullable(), reason };

export const execResult = z.strictObject({
  ...ending,
  output: z.string(),
  outputBytes: count,
  truncated: z.boolean(),
  durationMs: amount,
});
export const processEnd = z.strictObject(ending);

export const fileStat = z.strictObject({
  kind: fileEntry.shape.kind,
  size: amount,
  modifiedMs: z.number(),
});
/** Whoever owns a file may give it any time, and many sizes. */
const entry = z.strictObject({
  path: z.string(),
  kind: fileEntry.shape.kind,
  size: amount,
  modifiedAt: z.string().max(64),
});
export const fileEntries = z.strictObject({ items: z.array(entry), truncated: z.boolean() });
export const treeItems = z.strictObject({
  items: z.array(
    z.strictObject({
      path: z.string(),
      kind: fileEntry.shape.kind,
      size: amount,
      modifiedMs: z.number(),
      executable: z.boolean(),
      target: z.string().max(4_095).nullable(),
    }),
  ),
  truncated: z.boolean(),
});
export const paths = z.strictObject({ items: z.array(z.string()), truncated: z.boolean() });
export const grepMatches = z.strictObject({
  items: z.array(z.strictObject({ path: z.string(), line: count, text: z.string() })),
  truncated: z.boolean(),
});

const measured = amount.nullable();
export const metrics = z.strictObject({
  memoryBytes: measured,
  memoryPeakBytes: measured,
  cpuMs: measured,
  pids: measured,
  diskBytes: measured,
  oomKills: measured,
});

function isWorkspaceId(id: string): boolean {
  try {
    checkWorkspaceId(id);
    return true;
  } catch {
    return false;
  }
}

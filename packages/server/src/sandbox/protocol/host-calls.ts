import { z } from "zod";
import { call, callsOn } from "./call.ts";
import { egressCursor, egressNews, egressReader } from "./egress.ts";
import * as shape from "./shapes.ts";
import { wireLimits } from "./wire.ts";

const none = z.strictObject({});
const inDeployment = z.strictObject({ deployment: shape.deployment });
const count = z.int().nonnegative();

/** About the host itself. */
export const hostCalls = callsOn("host", {
  heartbeat: call({ verb: "look", args: none, answer: shape.heartbeat, timeoutMs: 2_500 }),
  probe: call({ verb: "look", args: none, answer: shape.capabilities, timeoutMs: 30_000 }),
  list: call({
    verb: "look",
    args: inDeployment,
    answer: z.strictObject({ items: z.array(shape.info).max(10_000), unreadable: count }),
    most: wireLimits.answer,
  }),
  workspaces: call({
    verb: "look",
    args: inDeployment,
    answer: z.array(shape.workspaceId).max(1_000_000),
    most: wireLimits.answer,
  }),
  sweep: call({
    verb: "manage",
    args: inDeployment,
    answer: z.strictObject({ removed: count, foreign: count }),
    timeoutMs: 120_000,
  }),
  /** What sandboxes asked for after a cursor, which may be forgotten up to it. */
  egress: call({
    verb: "egress",
    args: z.strictObject({
      deployment: shape.deployment,
      reader: egressReader,
      after: egressCursor.exactOptional(),
    }),
    answer: egressNews,
    timeoutMs: 2_500,
  }),
  drain: call({
    verb: "admin",
    args: none,
    answer: z.strictObject({ draining: z.literal(true), live: count }),
  }),
});

const change = { incarnation: shape.incarnation };

/** The life of a sandbox. */
export const lifeCalls = callsOn("sandbox", {
  create: call({
    verb: "manage",
    args: z.strictObject({
      ...change,
      deployment: shape.deployment,
      ttlMs: shape.ttlMs,
      template: z.string().min(1).max(256),
      policy: shape.policy,
      workspaceId: shape.workspaceId.exactOptional(),
      /** Only where commands are isolated; a host that was started again may not do so any more. */
      isolated: z.boolean(),
    }),
    answer: shape.info,
    timeoutMs: 60_000,
  }),
  get: call({ verb: "look", args: none, answer: shape.info.nullable() }),
  renew: call({
    verb: "manage",
    args: z.strictObject({ ...change, ttlMs: shape.ttlMs }),
    answer: shape.info,
  }),
  apply: call({
    verb: "manage",
    args: z.strictObject({ ...change, policy: shape.policy }),
    answer: shape.info,
  }),
  attach: call({
    verb: "manage",
    args: z.strictObject({ ...change, workspaceId: shape.workspaceId }),
    answer: shape.info,
    repeatable: false,
  }),
  destroy: call({
    verb: "manage",
    args: z.strictObject({ incarnation: shape.incarnation.exactOptional(), reason: z.string().max(256) }),
    answer: z.enum(["destroyed", "absent"]),
    timeoutMs: 60_000,
  }),
});

/** The life of a workspace; `usage` and `open` answer null when there is none. */
export const workspaceCalls = callsOn("workspace", {
  make: call({
    verb: "manage",
    args: z.strictObject({ deployment: shape.deployment, diskBytes: z.number().positive(), inodes: count }),
    answer: z.null(),
    timeoutMs: 30_000,
  }),
  open: call({
    verb: "read",
    args: z.strictObject({ folder: shape.path.exactOptional() }),
    answer: z.boolean(),
    timeoutMs: 30_000,
  }),
  usage: call({
    verb: "look",
    args: none,
    answer: z.strictObject({ bytes: z.number().nonnegative(), files: count }).nullable(),
    timeoutMs: 30_000,
  }),
  delete: call({
    verb: "manage",
    args: z.strictObject({ folder: shape.path.exactOptional() }),
    answer: z.boolean(),
    repeatable: false,
    timeoutMs: 120_000,
  }),
});

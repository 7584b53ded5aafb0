import { z } from "zod";
import { effect } from "./event-data.ts";
import { idSchema, timestamp } from "./id.ts";
import { pageOf } from "./list.ts";
import { sandboxSystem } from "./sandbox.ts";
import { sessionStatus } from "./session.ts";

export const tool = z.strictObject({
  name: z.string(),
  description: z.string(),
  effect,
  inputSchema: z.record(z.string(), z.unknown()),
});
export type ToolInfo = z.infer<typeof tool>;

export const model = z.strictObject({
  name: z.string().describe("provider/model"),
  provider: z.string(),
  contextWindow: z.int(),
  maxOutputTokens: z.int().nullable(),
  price: z
    .strictObject({ input: z.number(), output: z.number(), cacheRead: z.number(), cacheWrite: z.number() })
    .nullable()
    .describe("US dollars for a million tokens"),
  demo: z.boolean(),
});
export type ModelInfo = z.infer<typeof model>;

export const modelList = pageOf(model).extend({
  default: z.string().nullable().describe("the model that the server is set to use when none is named"),
});
export type ModelList = z.infer<typeof modelList>;

export const me = z.strictObject({
  principal: z.strictObject({ type: z.enum(["user", "service"]), id: z.string(), name: z.string() }),
  org: z.strictObject({ id: idSchema("org"), slug: z.string(), name: z.string() }),
  permissions: z.array(z.string()),
});
export type Me = z.infer<typeof me>;

export const runtimeStats = z.strictObject({
  live: z.int(),
  running: z.int(),
  waiting: z.int(),
  idle: z.int(),
  maxSessions: z.int(),
  idleTtlMs: z.int(),
  memory: z.strictObject({ usedBytes: z.int(), limitBytes: z.int(), sessionBytes: z.int() }),
  claiming: z.boolean().describe("false while nothing can be evicted at the limit"),
  evictions: z.int(),
  activations: z.strictObject({ count: z.int(), p50Ms: z.number(), p95Ms: z.number(), maxMs: z.number() }),
});
export type RuntimeStats = z.infer<typeof runtimeStats>;

export const liveSession = z.strictObject({
  sessionId: idSchema("session"),
  status: sessionStatus,
  bytes: z.int(),
  epoch: z.int(),
  activatedAt: timestamp,
  lastUsedAt: timestamp,
  initMs: z.number(),
});
export type LiveSession = z.infer<typeof liveSession>;

export const runtimeHealth = z.strictObject({
  ok: z.boolean(),
  workerId: z.string(),
  heartbeatAgeMs: z.number(),
  leaseMs: z.int(),
  draining: z.boolean(),
});
export type RuntimeHealth = z.infer<typeof runtimeHealth>;

export const system = z.strictObject({
  name: z.literal("berth"),
  version: z.string(),
  node: z.string(),
  mode: z.enum(["single", "multi"]),
  store: z.string(),
  coordination: z.string(),
  sandbox: sandboxSystem,
  startedAt: timestamp,
  memory: z.strictObject({ rss: z.int(), heapUsed: z.int(), external: z.int(), arrayBuffers: z.int() }),
  sessions: z.strictObject({ total: z.int(), byStatus: z.record(z.string(), z.int()) }),
  config: z
    .array(z.strictObject({ name: z.string(), value: z.string(), source: z.string() }))
    .describe("secrets are shown as set or not set"),
});
export type System = z.infer<typeof system>;

export const ticket = z.strictObject({ ticket: z.string(), expiresAt: timestamp });
export type Ticket = z.infer<typeof ticket>;

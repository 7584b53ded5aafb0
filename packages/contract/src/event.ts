import { z } from "zod";
import { type Actor, actor, type EventData, persistedEvents, type PersistedType } from "./event-data.ts";
import { idSchema, timestamp } from "./id.ts";
import { type LiveData, liveEvents, type LiveType } from "./live-event-data.ts";

const envelope = {
  at: timestamp,
  sessionId: idSchema("session"),
  runId: idSchema("run").optional(),
  stepId: idSchema("step").optional(),
  namespace: z.string().describe("path of the sub-agent; empty for the session's own agent"),
};

interface Envelope {
  readonly at: string;
  readonly sessionId: string;
  readonly runId?: string;
  readonly stepId?: string;
  readonly namespace: string;
}

/** One entry of a session's log. */
export type SessionEvent<T extends PersistedType = PersistedType> = {
  [K in T]: Envelope & {
    readonly seq: number;
    readonly type: K;
    readonly inputId?: string;
    readonly actor: Actor;
    readonly data: EventData<K>;
    readonly v: number;
  };
}[T];

/** What a stream carries besides the log: never stored, has no seq. */
export type LiveEvent<T extends LiveType = LiveType> = {
  [K in T]: Envelope & { readonly type: K; readonly data: LiveData<K> };
}[T];

export type StreamEvent = SessionEvent | LiveEvent;

const persistedTypes = Object.keys(persistedEvents) as PersistedType[];
const liveTypes = Object.keys(liveEvents) as LiveType[];

function typed<K extends string>(
  types: readonly K[],
  data: Readonly<Record<K, z.ZodType>>,
  fields: z.ZodRawShape,
) {
  const members = types.map((type) =>
    z.strictObject({ ...envelope, ...fields, type: z.literal(type), data: data[type] }),
  );
  return z.discriminatedUnion("type", members as [(typeof members)[number], ...typeof members]);
}

/** Schema of one log entry; used by the API's description, golden logs and clients, not on the server's hot path. */
export const sessionEvent = typed(persistedTypes, persistedEvents, {
  seq: z.int().min(1),
  inputId: idSchema("input").optional(),
  actor,
  v: z.int().min(1),
});
export const liveEvent = typed(liveTypes, liveEvents, {});

export const channels = ["progress", "control", "monitor"] as const;
export type Channel = (typeof channels)[number];

const progress: ReadonlySet<string> = new Set<PersistedType | LiveType>([
  "user.message",
  "system.message",
  "input.refused",
  "run.started",
  "run.finished",
  "agent.thinking",
  "agent.message",
  "agent.tool_use",
  "agent.tool_started",
  "agent.tool_result",
  "subagent.started",
  "subagent.finished",
  "agent.thinking.delta",
  "agent.message.delta",
  "agent.tool_use.delta",
  "agent.tool_progress",
]);
const control: ReadonlySet<string> = new Set<PersistedType>([
  "approval.requested",
  "approval.decided",
  "approval.expired",
  "input.requested",
  "user.interrupt",
  "budget.reached",
  "budget.released",
]);

/** The channel of an event type; every type that is neither progress nor control is monitor. */
export function channelOf(type: string): Channel {
  if (progress.has(type)) return "progress";
  return control.has(type) ? "control" : "monitor";
}

export const eventTypes: readonly (PersistedType | LiveType)[] = [...persistedTypes, ...liveTypes];
export function isLive(event: StreamEvent): event is LiveEvent {
  return !("seq" in event);
}

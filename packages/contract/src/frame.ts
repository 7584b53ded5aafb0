import { z } from "zod";
import type { StreamEvent } from "./event.ts";
import { idSchema } from "./id.ts";
import { acceptedInput, sendableInput } from "./input.ts";

/** A cursor is `generation.seq`: what SSE carries as id and `Last-Event-ID`. */
export const cursor = z.string().regex(/^\d{1,9}\.\d{1,15}$/, "must be generation.seq");

export function formatCursor(generation: number, seq: number): string {
  return `${generation}.${seq}`;
}

/** The parts of a cursor; null when the text is not one. */
export function parseCursor(text: string): { generation: number; seq: number } | null {
  const match = /^(\d{1,9})\.(\d{1,15})$/.exec(text);
  return match ? { generation: Number(match[1]), seq: Number(match[2]) } : null;
}

/** What a client sends on `GET /sessions/{id}/ws` and on the multiplexed `GET /ws`. */
export const clientFrame = z.union([
  z.strictObject({
    op: z.literal("subscribe"),
    id: z.string().max(64),
    sessionId: idSchema("session"),
    after: z.string().optional(),
  }),
  z.strictObject({
    op: z.literal("subscribe"),
    id: z.string().max(64),
    topic: z.enum(["approvals", "sessions"]),
  }),
  z.strictObject({ op: z.literal("unsubscribe"), id: z.string().max(64) }),
  z.strictObject({
    op: z.literal("send"),
    id: z.string().max(64),
    sessionId: idSchema("session").optional(),
    events: z.array(sendableInput).min(1).max(100),
  }),
  z.strictObject({ op: z.literal("ping"), id: z.string().max(64).optional() }),
]);
export type ClientFrame = z.input<typeof clientFrame>;

/** What the server sends: `id` names the subscription or the request that it answers. */
export type ServerFrame =
  | { op: "event"; id: string; cursor?: string; event: StreamEvent }
  | { op: "cursor"; id: string; cursor: string }
  | { op: "hint"; id: string; topic: string; sessionId?: string }
  | { op: "accepted"; id: string; inputs: z.infer<typeof acceptedInput>[] }
  | { op: "subscribed"; id: string; cursor?: string }
  | { op: "end"; id: string; code: string; message: string }
  | { op: "error"; id?: string; code: string; message: string }
  | { op: "pong"; id?: string };

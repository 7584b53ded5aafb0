import { pendingInput } from "@berth/contract";
import type { z } from "zod";
import type { Settled } from "../operations/apply-inputs.ts";

/** The reply of a change that was accepted and not yet seen in the session's log. */
export const pendingReply = {
  description: "Accepted, and not taken within 5 s: the input's event in the session's log will tell.",
  schema: pendingInput,
} as const;

interface Pending {
  readonly status: 202;
  readonly body: z.output<typeof pendingInput>;
  readonly headers: Readonly<Record<string, string>>;
}

interface Done<T> {
  readonly status: 200;
  readonly body: T;
  readonly headers: Readonly<Record<string, string>>;
}

/** 200 with the result, or 202 with the input that still waits. */
export function settledAnswer<T>(settled: Settled<T>): Done<T> | Pending {
  const headers = replayHeaders(settled);
  if (settled.done) return { status: 200, body: settled.result, headers };
  return { status: 202, body: { input: settled.input }, headers };
}

/** Says of a reply that it repeats an earlier one. */
export function replayHeaders({ replayed }: { readonly replayed: boolean }): Record<string, string> {
  return replayed ? { "idempotency-replayed": "true" } : {};
}

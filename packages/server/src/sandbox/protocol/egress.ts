import { z } from "zod";
import { normalAddress } from "../../lib/addresses.ts";
import { type EgressDecision, egressReasons, egressVerdicts, mostHostShown } from "../egress-decision.ts";
import { sandboxId } from "./shapes.ts";

/** What no answer of a host goes over. */
export const egressLimits = {
  /** Decisions in one answer. */
  items: 500,
  /** Alike decisions that one entry may stand for: it sums up a minute of one sandbox. */
  count: 10_000_000,
  /** Bytes of one entry, in each direction. */
  bytes: 2 ** 50,
  /** Decisions that one answer may say to be lost. */
  dropped: 1_000_000_000,
} as const;

const random = z.string().regex(/^[0-9a-f]{32}$/);
const bytes = z.int().nonnegative().max(egressLimits.bytes);

/** One server process: a host tells each decision to one of them. */
export const egressReader = random;

/** The last decision that a server has, in one life of the host's journal. */
export const egressCursor = z.strictObject({ journal: random, number: z.int().nonnegative() });
export type EgressCursor = z.infer<typeof egressCursor>;

const egressItem = z.strictObject({
  sandboxId,
  host: z.string().max(mostHostShown),
  port: z.int().min(0).max(65_535),
  method: z.string().regex(/^[A-Z-]{0,20}$/),
  verdict: z.enum(egressVerdicts),
  reason: z.enum(egressReasons),
  address: z.string().max(64).nullable(),
  count: z.int().nonnegative().max(egressLimits.count),
  bytesOut: bytes,
  bytesIn: bytes,
});
export type EgressItem = z.infer<typeof egressItem>;

export const egressNews = z.strictObject({
  /** Null: nothing was decided yet. */
  next: egressCursor.nullable(),
  /** Decisions before these that the host had no room for. */
  dropped: z.int().nonnegative().max(egressLimits.dropped),
  items: z.array(egressItem).max(egressLimits.items),
});
export type EgressNews = z.infer<typeof egressNews>;

/** A decision with nothing in it but what a decision has, as bounded as the schema says, its text for people to read. */
export function plainDecision(decision: EgressDecision): EgressDecision {
  const { host, port, method, verdict, reason, address, count, bytesOut, bytesIn } = decision;
  return {
    host: host.slice(0, mostHostShown).replace(/[^!-~]/g, "?"),
    port,
    method: /^[A-Z-]{0,20}$/.test(method) ? method : "",
    verdict,
    reason,
    address: address === null ? null : normalAddress(address),
    count: Math.min(count, egressLimits.count),
    bytesOut: Math.min(bytesOut, egressLimits.bytes),
    bytesIn: Math.min(bytesIn, egressLimits.bytes),
  };
}

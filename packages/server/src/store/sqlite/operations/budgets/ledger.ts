import { periodStart } from "../../../budgets.ts";
import type { LedgerEntry } from "../../../usage.ts";
import { atMost } from "../../queries/sums.ts";
import type { Transaction } from "../../transaction.ts";

/** Whose calls they are. */
export interface SpendingSession {
  readonly orgId: string;
  readonly sessionId: string;
  readonly no: number;
}

/** Writes one row of the ledger, and adds it to its day. */
export function writeEntry(tx: Transaction, session: SpendingSession, entry: LedgerEntry): void {
  const { orgId, sessionId, no } = session;
  const { call, at, kind, name, usage, cost, ok, estimated, owner, runId } = entry;
  const agents = entry.agents.join(" ");
  const durationMs = Math.round(entry.durationMs);
  const tokens = [
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheReadTokens,
    usage.cacheWriteTokens,
    usage.reasoningTokens,
  ];
  tx.sql(`INSERT INTO usage_ledger (org_id, session_no, call, session_id, run_id, at, kind, name, owner, agents, input_tokens,
      output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost, duration_ms, ok, estimated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    orgId,
    no,
    call,
    sessionId,
    runId,
    at,
    kind,
    name,
    owner,
    agents,
    ...tokens,
    cost,
    durationMs,
    ok ? 1 : 0,
    estimated ? 1 : 0,
  );
  const unpriced = kind !== "tool" && cost === null ? 1 : 0;
  tx.sql(`INSERT INTO usage_days (org_id, day, owner, agents, kind, name, calls, failed, estimated, unpriced, input_tokens,
      output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost, duration_ms)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET calls = calls + 1, failed = failed + excluded.failed, estimated = estimated + excluded.estimated,
      unpriced = unpriced + excluded.unpriced, input_tokens = input_tokens + excluded.input_tokens,
      output_tokens = output_tokens + excluded.output_tokens,
      cache_read_tokens = cache_read_tokens + excluded.cache_read_tokens,
      cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens,
      reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cost = ${atMost("cost + excluded.cost")},
      duration_ms = duration_ms + excluded.duration_ms`).run(
    orgId,
    periodStart("day", at),
    owner,
    agents,
    kind,
    name,
    ok ? 0 : 1,
    estimated ? 1 : 0,
    unpriced,
    ...tokens,
    cost ?? 0,
    durationMs,
  );
}

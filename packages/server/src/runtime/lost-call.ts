import { noUsage } from "../session/state.ts";
import type { Reserve } from "../store/budgets.ts";
import type { LedgerEntry } from "../store/usage.ts";

/** The ledger's row of a call that was begun and whose outcome was lost: it counts as what was reserved for it. */
export function lostCall(reserve: Reserve, now: number): LedgerEntry {
  const { inputTokens, outputTokens, model, ...rest } = reserve;
  return {
    ...rest,
    name: model,
    usage: { ...noUsage, inputTokens, outputTokens },
    durationMs: Math.max(0, now - reserve.at),
    ok: false,
    estimated: true,
  };
}

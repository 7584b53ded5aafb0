import type { BudgetUnit } from "@berth/contract";
import { type CallKind, periodStart } from "../../../budgets.ts";
import type { LedgerEntry } from "../../../usage.ts";
import { budgetsInScope, type Payer } from "../../queries/budgets.ts";
import { atMost } from "../../queries/sums.ts";
import type { Transaction } from "../../transaction.ts";
import { type SpendingSession, writeEntry } from "./ledger.ts";

interface ReserveRow {
  readonly call: string;
  readonly at: number;
  readonly kind: CallKind;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: number | null;
  readonly owner: string;
  readonly agents: string;
  readonly runId: string;
}

const reserveColumns = `call, at, kind, model, input_tokens AS inputTokens, output_tokens AS outputTokens, cost, owner, agents,
  run_id AS runId`;

/** Ends calls: each gets its row in the ledger, its reserve goes, and what it really used is counted. */
export function settleCalls(
  tx: Transaction,
  session: SpendingSession,
  entries: readonly LedgerEntry[],
): void {
  const counts = tx.budgets.has(tx.sql, session.orgId);
  for (const entry of entries) {
    if (!counts || entry.kind === "tool") writeEntry(tx, session, entry);
    else settleCounted(tx, session, entry);
  }
}

function settleCounted(tx: Transaction, session: SpendingSession, entry: LedgerEntry): void {
  const { orgId, no } = session;
  const held = tx
    .sql<ReserveRow>(
      `SELECT ${reserveColumns} FROM budget_reserves WHERE org_id = ? AND session_no = ? AND call = ?`,
    )
    .get(orgId, no, entry.call);
  if (held === undefined) {
    writeEntry(tx, session, entry);
    return count(tx, { ...session, ...entry }, { at: entry.at, spent: amountOf(entry), reserved: nothing });
  }
  writeEntry(tx, session, { ...entry, at: held.at });
  release(tx, session, held, amountOf(entry));
}

/** A session changes hands: nobody knows what its calls under way came to, so they count as what was reserved for them. */
export function settleLost(tx: Transaction, session: SpendingSession & { readonly epoch: number }): void {
  if (!tx.budgets.has(tx.sql, session.orgId)) return;
  const lost = tx
    .sql<ReserveRow>(`SELECT ${reserveColumns} FROM budget_reserves WHERE org_id = ? AND session_no = ?`)
    .all(session.orgId, session.no);
  for (const held of lost) {
    const { call, at, kind, model, inputTokens, outputTokens, cost, owner, runId } = held;
    const usage = { inputTokens, outputTokens, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
    writeEntry(tx, session, {
      // The step may be called again under its own id.
      call: `${call}~${session.epoch}`,
      at,
      kind,
      name: model,
      usage,
      cost,
      durationMs: Math.max(0, tx.now - at),
      ok: false,
      estimated: true,
      owner,
      agents: held.agents.split(" "),
      runId,
    });
    release(tx, session, held, amountOf({ usage, cost }));
  }
}

/** The same by the session's id; nothing when there is none. */
export function settleLostOf(
  tx: Transaction,
  { orgId, sessionId, epoch }: { readonly orgId: string; readonly sessionId: string; readonly epoch: number },
): void {
  const found = tx
    .sql<{ no: number }>("SELECT no FROM sessions WHERE org_id = ? AND id = ?")
    .get(orgId, sessionId);
  if (found !== undefined) settleLost(tx, { orgId, sessionId, no: found.no, epoch });
}

function release(tx: Transaction, session: SpendingSession, held: ReserveRow, spent: Amount): void {
  tx.sql("DELETE FROM budget_reserves WHERE org_id = ? AND session_no = ? AND call = ?").run(
    session.orgId,
    session.no,
    held.call,
  );
  const { at, owner, runId } = held;
  const reserved = amountOf({ usage: held, cost: held.cost });
  const payer = { ...session, owner, runId, agents: held.agents.split(" ") };
  count(tx, payer, {
    at,
    spent,
    reserved: { usd: -reserved.usd, tokens: -reserved.tokens },
  });
}

/** In each unit. */
export type Amount = Readonly<Record<BudgetUnit, number>>;
export const nothing: Amount = { usd: 0, tokens: 0 };

export function amountOf(call: {
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number };
  readonly cost: number | null;
}): Amount {
  return { usd: call.cost ?? 0, tokens: call.usage.inputTokens + call.usage.outputTokens };
}

interface Change {
  /** The call's time: it is counted in the periods that hold it. */
  readonly at: number;
  readonly spent: Amount;
  readonly reserved: Amount;
}

/** Counts a change to every budget that the call counts to. */
export function count(tx: Transaction, payer: Payer, { at, spent, reserved }: Change): void {
  const { orgId, runId } = payer;
  for (const { id, unit, period } of budgetsInScope(tx.sql, payer, at)) {
    const changes = { orgId, id, startsAt: periodStart(period, at) };
    addToPeriod(tx, { ...changes, spent: spent[unit], reserved: reserved[unit] });
  }
  if (spent === nothing) return;
  tx.sql(
    `UPDATE budget_allowances AS a SET used = ${atMost(`used + CASE (SELECT unit FROM budgets b WHERE b.org_id = a.org_id
      AND b.id = a.budget_id) WHEN 'usd' THEN ? ELSE ? END`)} WHERE a.org_id = ? AND a.run_id = ?`,
  ).run(spent.usd, spent.tokens, orgId, runId);
}

export function addToPeriod(
  tx: Transaction,
  change: { orgId: string; id: string; startsAt: number; spent: number; reserved: number },
): void {
  const { orgId, id, startsAt, spent, reserved } = change;
  tx.sql(`INSERT INTO budget_periods (org_id, budget_id, starts_at, spent, reserved) VALUES (?, ?, ?, ?, max(0, ?))
    ON CONFLICT DO UPDATE SET spent = ${atMost("spent + excluded.spent")}, reserved = ${atMost("max(0, reserved + ?)")}`).run(
    orgId,
    id,
    startsAt,
    spent,
    reserved,
    reserved,
  );
}

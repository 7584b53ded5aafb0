import type { InputBody } from "@berth/contract";
import { newId } from "../../../../lib/id.ts";
import type { WokenSession } from "../../../budgets.ts";
import { budgetsById } from "../../queries/budgets.ts";
import type { Transaction } from "../../transaction.ts";
import { insertInput } from "../accept.ts";
import type { SpendingSession } from "./ledger.ts";
import { isAllowed } from "./reserve.ts";

/**
 * Notes the budgets that a session's run waits for. False, and nothing is noted, when none of them is in its way any more: somebody
 * raised it since the run met it, and would not find the session among those that wait.
 */
export function waitFor(
  tx: Transaction,
  session: SpendingSession & { readonly runId: string },
  budgetIds: readonly string[],
): boolean {
  const { orgId, no } = session;
  tx.sql("DELETE FROM budget_waits WHERE org_id = ? AND session_no = ?").run(orgId, no);
  if (budgetIds.length === 0) return true;
  const reached = budgetsById(tx.sql, orgId, { ids: budgetIds, at: tx.now }).some(
    (budget) =>
      budget.onLimit === "pause" && budget.spent >= budget.amount && !isAllowed(tx, session, budget),
  );
  if (!reached) return false;
  for (const budgetId of budgetIds) {
    tx.sql("INSERT INTO budget_waits (org_id, budget_id, session_no) VALUES (?, ?, ?)").run(
      orgId,
      budgetId,
      no,
    );
  }
  return true;
}

interface WaitingSession extends WokenSession {
  readonly no: number;
  readonly inputPosition: number;
}

/** Tells every session that waits for a budget, or one of them, that there may be more: by an input that a full mailbox does not hinder. */
export function wakeWaiting(
  tx: Transaction,
  changed: {
    readonly orgId: string;
    readonly budgetId: string;
    readonly cause: Extract<InputBody, { type: "budget.released" }>["cause"];
    readonly runId?: string;
  },
): readonly WokenSession[] {
  const { orgId, budgetId, cause, runId } = changed;
  const waiting = tx
    .sql<WaitingSession>(
      `SELECT s.org_id AS orgId, s.id, s.owner, s.holder, s.no, s.input_position AS inputPosition
        FROM budget_waits w JOIN sessions s ON s.no = w.session_no
        WHERE w.org_id = ? AND w.budget_id = ? AND (? IS NULL OR s.current_run_id = ?)`,
    )
    .all(orgId, budgetId, runId ?? null, runId ?? null);
  for (const { id, no, inputPosition } of waiting) {
    insertInput(tx, {
      owner: { orgId, sessionId: id, no },
      position: inputPosition + 1,
      input: {
        id: newId("input", tx.now),
        lane: "control",
        body: { type: "budget.released", cause, budgetId },
        runId: null,
        actor: { type: "system", id: "budget" },
        clientId: null,
        traceparent: null,
      },
    });
    tx.sql("UPDATE sessions SET input_position = input_position + 1 WHERE no = ?").run(no);
    // Told once: the run notes anew what it waits for when that is still too little.
    tx.sql("DELETE FROM budget_waits WHERE org_id = ? AND session_no = ?").run(orgId, no);
  }
  return waiting.map(({ id, owner, holder }) => ({ orgId, id, owner, holder }));
}

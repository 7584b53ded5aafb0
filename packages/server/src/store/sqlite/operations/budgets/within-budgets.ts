import type { AppendOutcome } from "../../../store.ts";
import type { AppendArgs } from "../../protocol.ts";
import type { ArgsOf, ResultOf } from "../../protocol.ts";
import type { Transaction } from "../../transaction.ts";
import type { SpendingSession } from "./ledger.ts";
import { reserveCalls } from "./reserve.ts";
import { settleCalls } from "./settle.ts";
import { waitFor } from "./waits.ts";

type Commit = AppendArgs["commit"];

/** Whether a commit begins calls in an organization that has budgets, or changes what its session's run waits for. */
export function meetsBudgets(tx: Transaction, { orgId, reserves, projection }: Commit): boolean {
  if (projection?.budgetWaits !== undefined) return true;
  return reserves !== undefined && reserves.length > 0 && tx.budgets.has(tx.sql, orgId);
}

/** Appends, then reserves the calls that begin; when they must not be made, nothing of it stays. */
export function withinBudgets(tx: Transaction, commit: Commit, write: () => AppendOutcome): AppendOutcome {
  tx.sql("SAVEPOINT budgets").run();
  const written = write();
  const outcome = written.ok ? judge(tx, commit) : written;
  if (!outcome.ok) tx.sql("ROLLBACK TO budgets").run();
  tx.sql("RELEASE budgets").run();
  return outcome;
}

function judge(tx: Transaction, { orgId, sessionId, reserves = [], projection }: Commit): AppendOutcome {
  const session = sessionOf(tx, orgId, sessionId);
  if (session === undefined) return { ok: false, reason: "fenced" };
  const { budgetWaits } = projection ?? {};
  if (budgetWaits !== undefined) {
    const runId = projection?.session?.currentRunId ?? "";
    if (!waitFor(tx, { ...session, runId }, budgetWaits))
      return { ok: false, reason: "budget", blocking: [] };
  }
  if (reserves.length === 0 || !tx.budgets.has(tx.sql, orgId)) return { ok: true };
  return outcomeOf(reserveCalls(tx, session, reserves));
}

function outcomeOf({ blocking, overruns }: ReturnType<typeof reserveCalls>): AppendOutcome {
  if (blocking.length > 0) return { ok: false, reason: "budget", blocking };
  return overruns.length === 0 ? { ok: true } : { ok: true, overruns };
}

interface FoundSession extends SpendingSession {
  readonly epoch: number;
  readonly holder: string | null;
}

function sessionOf(tx: Transaction, orgId: string, sessionId: string): FoundSession | undefined {
  return tx
    .sql<FoundSession>(
      "SELECT org_id AS orgId, id AS sessionId, no, epoch, holder FROM sessions WHERE org_id = ? AND id = ?",
    )
    .get(orgId, sessionId);
}

/** Calls that no event tells of: compactions, and open steps that a new holder takes up. */
export function reserve(tx: Transaction, args: ArgsOf<"reserve">): ResultOf<"reserve"> {
  const { orgId, sessionId, epoch, reserves, settles } = args;
  const session = sessionOf(tx, orgId, sessionId);
  if (session === undefined || session.epoch !== epoch || session.holder === null)
    return { ok: false, reason: "fenced" };
  tx.sql("SAVEPOINT budgets").run();
  settleCalls(tx, session, settles);
  const outcome = tx.budgets.has(tx.sql, orgId)
    ? outcomeOf(reserveCalls(tx, session, reserves))
    : ({ ok: true } as const);
  if (!outcome.ok) tx.sql("ROLLBACK TO budgets").run();
  tx.sql("RELEASE budgets").run();
  return outcome;
}

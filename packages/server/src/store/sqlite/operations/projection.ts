import type { ApprovalChange, Projection, RunChange } from "../../records.ts";
import type { Transaction } from "../transaction.ts";
import { assignments, type Columns } from "./columns.ts";

/** Whose rows a projection changes. */
export interface ProjectedSession {
  readonly orgId: string;
  readonly sessionId: string;
  readonly no: number;
}

/** Writes the listable rows that follow from a commit's events, but the session's own, in the commit's own transaction. */
export function writeProjection(tx: Transaction, session: ProjectedSession, projection: Projection): void {
  for (const run of projection.runs ?? []) changeRun(tx, session, run);
  for (const approval of projection.approvals ?? []) changeApproval(tx, session, approval);
  if (projection.timers !== undefined) changeTimers(tx, session, projection.timers);
  if (projection.rewind !== undefined) {
    const { at, toSeq } = projection.rewind;
    tx.sql("INSERT INTO rewinds (org_id, session_no, at, to_seq) VALUES (?, ?, ?, ?)").run(
      session.orgId,
      session.no,
      at,
      toSeq,
    );
    tx.sql("UPDATE sessions SET rewound = 1 WHERE no = ?").run(session.no);
  }
}

const json = (value: unknown): string | null => (value === undefined ? null : JSON.stringify(value));

/** A run's id that belongs to another session changes nothing. */
function changeRun(tx: Transaction, session: ProjectedSession, run: RunChange): void {
  const { orgId, sessionId } = session;
  const columns = runColumns(run);
  const stored = tx
    .sql<{ sessionId: string; status: string }>(
      "SELECT session_id AS sessionId, status FROM runs WHERE org_id = ? AND id = ?",
    )
    .get(orgId, run.id);
  if (stored === undefined) {
    const status = run.status ?? "queued";
    const own = { org_id: orgId, id: run.id, session_id: sessionId, created_at: tx.now };
    const row = { ...own, ...visibleBy(tx, session), ...columns, status };
    const names = Object.keys(row);
    tx.sql(`INSERT INTO runs (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`).run(
      ...Object.values(row),
    );
    return;
  }
  if (stored.sessionId !== sessionId) return;
  // Left out when it stays, because writing it writes the index of open runs.
  if (run.status !== undefined && run.status !== stored.status) columns["status"] = run.status;
  if (Object.keys(columns).length === 0) return;
  tx.sql(`UPDATE runs SET ${assignments(columns)} WHERE org_id = ? AND id = ?`).run(
    ...Object.values(columns),
    orgId,
    run.id,
  );
}

/** Who may see what belongs to a session, as its row says it now. */
function visibleBy(tx: Transaction, { no }: ProjectedSession): { owner: string; shared: number } {
  const found = tx
    .sql<{ owner: string; shared: number }>(
      "SELECT owner, visibility = 'org' AS shared FROM sessions WHERE no = ?",
    )
    .get(no);
  return found ?? { owner: "", shared: 0 };
}

/** The columns that a change names, but the status. */
function runColumns(run: RunChange): Columns {
  const columns: Columns = {};
  if (run.reason !== undefined) columns["reason"] = run.reason;
  if (run.error !== undefined) columns["error"] = JSON.stringify(run.error);
  if (run.recovery !== undefined) columns["recovery"] = JSON.stringify(run.recovery);
  if (run.usage !== undefined) columns["usage"] = JSON.stringify(run.usage);
  if (run.cost !== undefined) columns["cost"] = run.cost;
  if (run.steps !== undefined) columns["steps"] = run.steps;
  if (run.startedAt !== undefined) columns["started_at"] = run.startedAt;
  if (run.finishedAt !== undefined) columns["finished_at"] = run.finishedAt;
  return columns;
}

function changeApproval(tx: Transaction, session: ProjectedSession, change: ApprovalChange): void {
  if (change.op === "insert") {
    const { row } = change;
    const { owner, shared } = visibleBy(tx, session);
    tx.sql(`INSERT INTO approvals (org_id, id, session_id, run_id, tool_use_id, tool, input_hash, path, status,
        created_at, expires_at, input, owner, shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)`).run(
      session.orgId,
      row.id,
      session.sessionId,
      row.runId,
      row.toolUseId,
      row.tool,
      row.inputHash,
      JSON.stringify(row.path),
      row.createdAt,
      row.expiresAt,
      JSON.stringify(row.input ?? null),
      owner,
      shared,
    );
    return;
  }
  tx.sql(`UPDATE approvals SET status = ?, decided_by = ?, note = ?, decided_at = ?, input = coalesce(?, input),
      input_hash = coalesce(?, input_hash) WHERE org_id = ? AND id = ? AND session_id = ?`).run(
    change.status,
    change.decidedBy,
    change.note,
    change.decidedAt,
    json(change.input),
    change.inputHash ?? null,
    session.orgId,
    change.id,
    session.sessionId,
  );
}

function changeTimers(
  tx: Transaction,
  { orgId, no }: ProjectedSession,
  timers: NonNullable<Projection["timers"]>,
): void {
  for (const { kind, ref } of timers.clear) {
    tx.sql("DELETE FROM timers WHERE org_id = ? AND session_no = ? AND kind = ? AND ref = ?").run(
      orgId,
      no,
      kind,
      ref,
    );
  }
  for (const { kind, ref, dueAt } of timers.set) {
    tx.sql(
      "INSERT OR REPLACE INTO timers (org_id, session_no, kind, ref, due_at) VALUES (?, ?, ?, ?, ?)",
    ).run(orgId, no, kind, ref, dueAt);
  }
}

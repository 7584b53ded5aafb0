import type { ApprovalChange, Projection, RunChange } from "../../records.ts";
import type { Transaction } from "../transaction.ts";

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
  tx.sql(`INSERT INTO runs (org_id, id, session_id, status, reason, error, recovery, usage, cost, steps, created_at,
      started_at, finished_at)
    VALUES (?1, ?2, ?3, coalesce(?4, 'queued'), ?5, ?6, ?7, ?8, ?9, coalesce(?10, 0), ?11, ?12, ?13)
    ON CONFLICT (org_id, id) DO UPDATE SET status = coalesce(?4, status), reason = coalesce(?5, reason),
      error = coalesce(?6, error), recovery = coalesce(?7, recovery), usage = coalesce(?8, usage),
      cost = CASE WHEN ?14 THEN ?9 ELSE cost END, steps = coalesce(?10, steps),
      started_at = coalesce(?12, started_at), finished_at = coalesce(?13, finished_at)
    WHERE session_id = excluded.session_id`).run(
    session.orgId,
    run.id,
    session.sessionId,
    run.status ?? null,
    run.reason ?? null,
    json(run.error),
    json(run.recovery),
    json(run.usage),
    run.cost ?? null,
    run.steps ?? null,
    tx.now,
    run.startedAt ?? null,
    run.finishedAt ?? null,
    run.cost === undefined ? 0 : 1,
  );
}

function changeApproval(tx: Transaction, session: ProjectedSession, change: ApprovalChange): void {
  if (change.op === "insert") {
    const { row } = change;
    tx.sql(`INSERT INTO approvals (org_id, id, session_id, run_id, tool_use_id, tool, input_hash, path, status,
        created_at, expires_at, input) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)`).run(
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

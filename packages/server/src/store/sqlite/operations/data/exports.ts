import { BerthError } from "../../../../lib/errors.ts";
import type { ExportRecord } from "../../../data.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findExportRecord, findOpenExport } from "../../queries/data/exports.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";

const mostAttempts = 3;

export function createExport(tx: Transaction, args: ArgsOf<"createExport">): Outcome<ExportRecord> {
  const { orgId, record, most } = args;
  return once(tx, args, () => {
    const open = tx
      .sql<{ open: number }>(
        "SELECT count(*) AS open FROM exports WHERE org_id = ? AND status IN ('queued', 'running')",
      )
      .get(orgId);
    if ((open?.open ?? 0) >= most) {
      throw new BerthError(
        "too_many_exports",
        `${most} exports of this organization are being made: wait until one is done.`,
        { retryable: true },
      );
    }
    const { id, scope, userId, conversations, requestedBy } = record;
    tx.sql(`INSERT INTO exports (org_id, id, scope, user_id, conversations, requested_by, status, created_at)
      VALUES (?, ?, ?, ?, ?, ?, 'queued', ?)`).run(
      orgId,
      id,
      scope,
      userId,
      conversations ? 1 : 0,
      requestedBy,
      tx.now,
    );
    return existing(tx, orgId, id);
  });
}

export function deleteExport(tx: Transaction, { orgId, id }: ArgsOf<"deleteExport">): boolean {
  return Number(tx.sql("DELETE FROM exports WHERE org_id = ? AND id = ?").run(orgId, id).changes) === 1;
}

/** One that died with its process is begun anew; the third time it is given up. */
export function takeExport(tx: Transaction): ExportRecord | null {
  for (;;) {
    const next = findOpenExport(tx.sql);
    if (next === null) return null;
    const { orgId, id, attempts } = next;
    if (attempts < mostAttempts) {
      tx.sql(
        "UPDATE exports SET status = 'running', attempts = attempts + 1, parts = '{}' WHERE org_id = ? AND id = ?",
      ).run(orgId, id);
      return existing(tx, orgId, id);
    }
    const error = `The server stopped ${attempts} times while it was being made: ask for it again.`;
    endExport(tx, { orgId, id, outcome: { status: "failed", error } });
  }
}

export function noteExport(tx: Transaction, { orgId, id, parts }: ArgsOf<"noteExport">): void {
  tx.sql("UPDATE exports SET parts = ? WHERE org_id = ? AND id = ?").run(JSON.stringify(parts), orgId, id);
}

export function endExport(tx: Transaction, { orgId, id, outcome }: ArgsOf<"endExport">): boolean {
  const { changes } =
    outcome.status === "failed"
      ? tx
          .sql("UPDATE exports SET status = 'failed', error = ?, finished_at = ? WHERE org_id = ? AND id = ?")
          .run(outcome.error, tx.now, orgId, id)
      : tx
          .sql(`UPDATE exports SET status = 'done', parts = ?, bytes = ?, sha256 = ?, expires_at = ?, finished_at = ?
            WHERE org_id = ? AND id = ?`)
          .run(
            JSON.stringify(outcome.parts),
            outcome.bytes,
            outcome.sha256,
            outcome.expiresAt,
            tx.now,
            orgId,
            id,
          );
  return Number(changes) === 1;
}

export function expireExports(
  tx: Transaction,
  { limit }: ArgsOf<"expireExports">,
): readonly { orgId: string; id: string }[] {
  const due = tx
    .sql<{ orgId: string; id: string }>(
      `SELECT org_id AS orgId, id FROM exports WHERE expires_at IS NOT NULL AND expires_at <= ?
        ORDER BY expires_at LIMIT ?`,
    )
    .all(tx.now, limit);
  for (const { orgId, id } of due) {
    tx.sql("UPDATE exports SET status = 'expired', expires_at = NULL WHERE org_id = ? AND id = ?").run(
      orgId,
      id,
    );
  }
  return due.map(({ orgId, id }) => ({ orgId, id }));
}

export function dropExport(tx: Transaction, { orgId, id }: ArgsOf<"dropExport">): void {
  tx.sql("DELETE FROM exports WHERE org_id = ? AND id = ?").run(orgId, id);
}

function existing(tx: Transaction, orgId: string, id: string): ExportRecord {
  const record = findExportRecord(tx.sql, orgId, id);
  if (record === null) throw new BerthError("internal", `export ${id} was written and cannot be read`);
  return record;
}

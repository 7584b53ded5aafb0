import type { AuditDraft } from "../audit.ts";
import type { NotedErasure } from "../backups.ts";
import { AppendHints } from "./append-hints.ts";
import { BudgetOrgs } from "./budget-orgs.ts";
import { openForWriting } from "./connection.ts";
import { insertAudit } from "./operations/audit.ts";

/** Generations are the seconds since then, so that two restores of one backup differ. */
const epoch = Date.UTC(2026, 0, 1);

export interface Restored {
  readonly deployment: string;
  /** Of every session from now on: cursors that were given before are refused. */
  readonly generation: number;
  readonly sessions: number;
}

/**
 * Makes a copied database one that a server may go on with: nobody holds a session, every session has a new generation, exports whose
 * file is not there have failed, and what was erased since is erased again by the server that starts on it. Tells the audit log of the organization that was there first.
 */
export function reviveDatabase({
  path,
  now,
  audit,
  erasures,
}: {
  path: string;
  now: number;
  audit: AuditDraft;
  erasures: readonly NotedErasure[];
}): Restored {
  const connection = openForWriting(path);
  const sql = connection.sql.bind(connection);
  try {
    sql("BEGIN IMMEDIATE").run();
    const before = sql<{ id: string; generation: number }>("SELECT id, generation FROM deployment").get();
    const generation = Math.max((before?.generation ?? 1) + 1, Math.floor((now - epoch) / 1_000));
    sql("UPDATE deployment SET generation = ?").run(generation);
    const { changes } = sql("UPDATE sessions SET generation = ?, holder = NULL, claims = 0").run(generation);
    sql("DELETE FROM workers").run();
    sql(`UPDATE exports SET status = 'failed', expires_at = NULL, finished_at = ?, bytes = NULL, sha256 = NULL,
        error = 'The server was restored from a backup, and exports are in none: ask for it again.'
      WHERE status <> 'failed'`).run(now);
    for (const erasure of erasures) {
      const { orgId, id, scope, target, requestedBy, toldTo, createdAt } = erasure;
      sql(`INSERT INTO erasures (org_id, id, scope, target, requested_by, told_to, status, created_at)
        VALUES (?, ?, ?, ?, ?, ?, 'running', ?) ON CONFLICT DO UPDATE SET status = 'running', hash = NULL`).run(
        orgId,
        id,
        scope,
        target,
        requestedBy,
        toldTo,
        createdAt,
      );
    }
    const home = sql<{ id: string }>("SELECT id FROM orgs ORDER BY single DESC, id LIMIT 1").get();
    if (home !== undefined)
      insertAudit(
        { sql, now, steady: 0, hints: new AppendHints(), budgets: new BudgetOrgs() },
        home.id,
        audit,
      );
    sql("COMMIT").run();
    return { deployment: before?.id ?? "", generation, sessions: Number(changes) };
  } finally {
    connection.close();
  }
}

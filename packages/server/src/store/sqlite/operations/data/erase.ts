import type { ErasureRecord } from "../../../data.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findSessionRow } from "../../queries/session-row.ts";
import { type TenantTableName, tenantTable, tenantTableNames } from "../../tenant-tables.ts";
import type { Transaction } from "../../transaction.ts";
import { deleteSession } from "../delete-session.ts";
import { unshare } from "../fork.ts";
import { existing, noteErasure } from "./erasures.ts";

/** Its log goes in slices afterwards, as that of every deleted session. */
export function eraseSession(tx: Transaction, { orgId, erasureId, sessionId }: ArgsOf<"eraseSession">): void {
  const { scope, target } = existing(tx, orgId, erasureId);
  const session = findSessionRow(tx.sql, orgId, sessionId);
  if (session === undefined) return;
  const { no, lastSeq } = session;
  if (scope === "user") leaveForksWhole(tx, { orgId, no, target });
  putDownBlobs(tx, orgId, no);
  deleteSession(tx, { orgId, sessionId });
  noteErasure(tx, { orgId, id: erasureId, counts: { sessions: 1, events: lastSeq } });
}

/** What others made of this session with its prefix by reference is theirs: they get the prefix as their own. */
function leaveForksWhole(tx: Transaction, from: { orgId: string; no: number; target: string }): void {
  const forks = tx
    .sql<{ id: string }>(
      `SELECT DISTINCT s.id FROM segments g JOIN sessions s ON s.no = g.session_no
        WHERE g.org_id = ?1 AND g.log_no = ?2 AND s.owner <> ?3`,
    )
    .all(from.orgId, from.no, from.target);
  for (const { id } of forks) {
    const fork = findSessionRow(tx.sql, from.orgId, id);
    if (fork !== undefined) unshare(tx, fork);
  }
}

/** Those of its log, of dead logs that it was a fork of, and those that its waiting inputs name. */
function putDownBlobs(tx: Transaction, orgId: string, no: number): void {
  tx.sql(`INSERT OR IGNORE INTO erasure_blobs (org_id, hash) SELECT org_id, hash FROM blob_refs WHERE log_no = ?1
    OR log_no IN (SELECT g.log_no FROM segments g JOIN dead_logs d ON d.org_id = g.org_id AND d.log_no = g.log_no
      WHERE g.org_id = ?2 AND g.session_no = ?1)`).run(no, orgId);
  const inputs = tx
    .sql<{ body: string }>("SELECT body FROM mailbox WHERE org_id = ? AND session_no = ?")
    .all(orgId, no);
  for (const { body } of inputs) {
    for (const hash of body.match(/\b[0-9a-f]{64}\b/g) ?? []) {
      tx.sql(`INSERT OR IGNORE INTO erasure_blobs (org_id, hash)
        SELECT org_id, hash FROM blobs WHERE org_id = ? AND hash = ?`).run(orgId, hash);
    }
  }
}

/** The next slice of the first table that has something to erase. */
export function eraseRows(tx: Transaction, { orgId, erasureId, limit }: ArgsOf<"eraseRows">): number {
  const erasure = existing(tx, orgId, erasureId);
  for (const table of tenantTableNames) {
    const gone = eraseFrom(tx, { erasure, table, limit });
    if (gone === 0) continue;
    if (tenantTable(table).exported.length > 0)
      noteErasure(tx, { orgId, id: erasureId, counts: { [table]: gone } });
    return gone;
  }
  return erasure.scope === "org" ? eraseOrg(tx, erasure) : 0;
}

function eraseFrom(
  tx: Transaction,
  { erasure, table, limit }: { erasure: ErasureRecord; table: TenantTableName; limit: number },
): number {
  const { orgId, scope, target } = erasure;
  if (table === "erasures" || table === "erasure_blobs") return 0;
  const { key, ofUser, userErasure } = tenantTable(table);
  if (scope === "user" && userErasure !== "rows") return 0;
  const condition = scope === "user" && ofUser !== null ? `AND ${ofUser}` : "";
  if (table === "blobs") {
    tx.sql(`INSERT OR IGNORE INTO erasure_blobs (org_id, hash)
      SELECT org_id, hash FROM blobs WHERE org_id = ? ORDER BY hash LIMIT ?`).run(orgId, limit);
  }
  const people = table === "members" ? membersIn(tx, erasure, limit) : [];
  const keys = key.join(", ");
  const { changes } = tx
    .sql(`DELETE FROM ${table} WHERE org_id = ?1 AND (${keys}) IN
      (SELECT ${keys} FROM ${table} WHERE org_id = ?1 ${condition} ORDER BY ${keys} LIMIT ?3)`)
    .run(orgId, target, limit);
  for (const userId of people) forgetPerson(tx, orgId, userId);
  return Number(changes);
}

function membersIn(tx: Transaction, { orgId, scope, target }: ErasureRecord, limit: number): string[] {
  if (scope === "user") return [target];
  return tx
    .sql<{ id: string }>("SELECT user_id AS id FROM members WHERE org_id = ? ORDER BY user_id LIMIT ?")
    .all(orgId, limit)
    .map(({ id }) => id);
}

/** The account too, unless the person is a member somewhere else. */
function forgetPerson(tx: Transaction, orgId: string, userId: string): void {
  tx.sql("DELETE FROM logins WHERE user_id = ? AND current_org = ?").run(userId, orgId);
  const elsewhere = tx.sql("SELECT 1 FROM members WHERE user_id = ?").get(userId);
  const operator = tx.sql("SELECT 1 FROM accounts WHERE id = ? AND operator = 1").get(userId);
  if (elsewhere !== undefined || operator !== undefined) return;
  tx.sql("DELETE FROM logins WHERE user_id = ?").run(userId);
  tx.sql("DELETE FROM identities WHERE user_id = ?").run(userId);
  tx.sql("DELETE FROM accounts WHERE id = ?").run(userId);
}

function eraseOrg(tx: Transaction, { orgId }: ErasureRecord): number {
  return Number(tx.sql("DELETE FROM orgs WHERE id = ?").run(orgId).changes);
}

/** Those that something else still refers to stay, and are no matter of this erasure any more. */
export function blobsToErase(tx: Transaction, { orgId, limit }: ArgsOf<"blobsToErase">): readonly string[] {
  tx.sql(`DELETE FROM erasure_blobs WHERE org_id = ?1 AND hash IN
    (SELECT hash FROM blobs WHERE org_id = ?1 AND referenced = 1)`).run(orgId);
  const hashes = tx
    .sql<{ hash: string }>("SELECT hash FROM erasure_blobs WHERE org_id = ? LIMIT ?")
    .all(orgId, limit)
    .map(({ hash }) => hash);
  for (const hash of hashes) tx.sql("DELETE FROM blobs WHERE org_id = ? AND hash = ?").run(orgId, hash);
  return hashes;
}

export function forgetErasedBlobs(tx: Transaction, { orgId, hashes }: ArgsOf<"forgetErasedBlobs">): void {
  for (const hash of hashes)
    tx.sql("DELETE FROM erasure_blobs WHERE org_id = ? AND hash = ?").run(orgId, hash);
}

export function forgetUsage(tx: Transaction, { orgId, before, limit }: ArgsOf<"forgetUsage">): number {
  const { changes } = tx
    .sql(`DELETE FROM usage_ledger WHERE org_id = ?1 AND (session_no, call) IN
      (SELECT session_no, call FROM usage_ledger WHERE org_id = ?1 AND at < ?2 LIMIT ?3)`)
    .run(orgId, before, limit);
  return Number(changes);
}

import type { ArgsOf } from "../../protocol.ts";
import type { Transaction } from "../../transaction.ts";

/** The cut is written with the first entries that go, so that at no time entries are missing without it. */
export function cutAudit(tx: Transaction, { orgId, cut, limit }: ArgsOf<"cutAudit">): number {
  tx.sql(`INSERT INTO audit_cuts (org_id, number, mac, at, seal) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (org_id) DO UPDATE SET number = ?2, mac = ?3, at = ?4, seal = ?5 WHERE number < ?2`).run(
    orgId,
    cut.number,
    cut.mac,
    cut.at,
    cut.seal,
  );
  const removed = tx
    .sql(`DELETE FROM audit_log WHERE no IN (SELECT l.no FROM audit_log l JOIN audit_cuts c ON c.org_id = l.org_id
      WHERE l.org_id = ? AND l.number <= c.number ORDER BY l.number LIMIT ?)`)
    .run(orgId, limit);
  return Number(removed.changes);
}

/** Only what is sealed: what is not yet is found by the next call. Invitations are told of with the address before there is a person. */
export function erasePerson(tx: Transaction, { orgId, actorId, limit }: ArgsOf<"eraseAuditPerson">): number {
  const own = tx
    .sql(`UPDATE audit_log SET erased = 1, actor_name = '', address = NULL, details = '{}' WHERE no IN
      (SELECT no FROM audit_log WHERE org_id = ? AND actor_id = ? AND erased = 0 AND number IS NOT NULL LIMIT ?)`)
    .run(orgId, actorId, limit);
  const about = tx
    .sql(`UPDATE audit_log SET erased = 1, actor_name = '', address = NULL, details = '{}' WHERE no IN
      (SELECT no FROM audit_log WHERE org_id = ? AND target_id = ? AND erased = 0 AND number IS NOT NULL LIMIT ?)`)
    .run(orgId, actorId, limit);
  const named = tx
    .sql(`UPDATE audit_log SET erased = 1, actor_name = '', address = NULL, details = '{}' WHERE no IN
      (SELECT no FROM audit_log WHERE org_id = ?1 AND erased = 0 AND number IS NOT NULL AND instr(details,
        (SELECT json_quote(email) FROM accounts WHERE id = ?2 AND email IS NOT NULL)) > 0 LIMIT ?3)`)
    .run(orgId, actorId, limit);
  return Number(own.changes) + Number(about.changes) + Number(named.changes);
}

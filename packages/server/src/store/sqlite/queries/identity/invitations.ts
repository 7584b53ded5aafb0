import type { InvitationRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];

const select = `SELECT org_id AS orgId, id, kind, email, name, role, invited_by AS invitedBy, created_at AS createdAt,
    expires_at AS expiresAt, accepted_at AS acceptedAt, revoked_at AS revokedAt FROM invitations`;
const open = "accepted_at IS NULL AND revoked_at IS NULL AND expires_at >";

export function findInvitationRecord(sql: Sql, orgId: string, id: string): InvitationRecord | null {
  const row = sql<InvitationRecord>(`${select} WHERE org_id = ? AND id = ?`).get(orgId, id);
  return row === undefined ? null : { ...row };
}

/** Only while it can be used. */
export function findOpenInvitation(sql: Sql, tokenHash: string, now: number): InvitationRecord | null {
  const row = sql<InvitationRecord>(`${select} WHERE token_hash = ? AND ${open} ?`).get(tokenHash, now);
  return row === undefined ? null : { ...row };
}

/** Newest first; with `openAt` only what can be used at that time. */
export function listInvitationRecords(
  sql: Sql,
  filter: { orgId: string; before: string; openAt: number | null; limit: number },
): InvitationRecord[] {
  const { orgId, before, openAt, limit } = filter;
  const usable = openAt === null ? "" : `AND ${open} ?4`;
  return sql<InvitationRecord>(
    `${select} WHERE org_id = ?1 AND id < ?2 ${usable} ORDER BY id DESC LIMIT ?3`,
  ).all(orgId, before, limit, ...(openAt === null ? [] : [openAt]));
}

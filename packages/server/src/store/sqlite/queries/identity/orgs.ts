import type { OrgRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type OrgRow = Omit<OrgRecord, "settings"> & { readonly settings: string };

const select = `SELECT id, slug, name, status, settings, created_at AS createdAt, updated_at AS updatedAt FROM orgs`;

function orgRecord(row: OrgRow): OrgRecord {
  return { ...row, settings: JSON.parse(row.settings) as OrgRecord["settings"] };
}

export function findOrgRecord(sql: Sql, orgId: string): OrgRecord | null {
  const row = sql<OrgRow>(`${select} WHERE id = ?`).get(orgId);
  return row === undefined ? null : orgRecord(row);
}

export function findOrgRecordBySlug(sql: Sql, slug: string): OrgRecord | null {
  const row = sql<OrgRow>(`${select} WHERE slug = ?`).get(slug);
  return row === undefined ? null : orgRecord(row);
}

export function listOrgRecords(sql: Sql, { after, limit }: { after: string; limit: number }): OrgRecord[] {
  return sql<OrgRow>(`${select} WHERE id > ? ORDER BY id LIMIT ?`).all(after, limit).map(orgRecord);
}

export function listMembershipRecords(sql: Sql, userId: string): { org: OrgRecord; role: string }[] {
  return sql<OrgRow & { role: string }>(
    `SELECT o.id, o.slug, o.name, o.status, o.settings, o.created_at AS createdAt, o.updated_at AS updatedAt, m.role
      FROM members m JOIN orgs o ON o.id = m.org_id JOIN accounts a ON a.id = m.user_id
      WHERE m.user_id = ? AND m.status = 'active' AND o.status = 'active' AND a.status = 'active' ORDER BY o.id`,
  )
    .all(userId)
    .map(({ role, ...org }) => ({ org: orgRecord(org), role }));
}

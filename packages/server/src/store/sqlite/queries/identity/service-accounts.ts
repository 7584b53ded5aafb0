import type { CertificateName, ServiceAccountRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type AccountRow = Omit<ServiceAccountRecord, "certificates"> & { readonly certificates: string };

const select = `SELECT s.org_id AS orgId, s.id, s.name, s.role, s.status, s.created_by AS createdBy, s.created_at AS createdAt,
    s.updated_at AS updatedAt,
    (SELECT json_group_array(json_object('kind', c.kind, 'value', c.value)) FROM certificates c
      WHERE c.org_id = s.org_id AND c.service_account_id = s.id) AS certificates
  FROM service_accounts s`;

function serviceAccountRecord(row: AccountRow): ServiceAccountRecord {
  return { ...row, certificates: JSON.parse(row.certificates) as CertificateName[] };
}

export function findServiceAccountRecord(sql: Sql, orgId: string, id: string): ServiceAccountRecord | null {
  const row = sql<AccountRow>(`${select} WHERE s.org_id = ? AND s.id = ?`).get(orgId, id);
  return row === undefined ? null : serviceAccountRecord(row);
}

export function listServiceAccountRecords(
  sql: Sql,
  { orgId, after, limit }: { orgId: string; after: string; limit: number },
): ServiceAccountRecord[] {
  return sql<AccountRow>(`${select} WHERE s.org_id = ? AND s.id > ? ORDER BY s.id LIMIT ?`)
    .all(orgId, after, limit)
    .map(serviceAccountRecord);
}

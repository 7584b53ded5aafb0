import type { RoleRecord } from "../../../identity.ts";
import type { Connection } from "../../connection.ts";

type Sql = Connection["sql"];
type RoleRow = Omit<RoleRecord, "permissions"> & { readonly permissions: string };

const select =
  "SELECT name, description, permissions, created_at AS createdAt, updated_at AS updatedAt FROM roles";

function roleRecord(row: RoleRow): RoleRecord {
  return { ...row, permissions: JSON.parse(row.permissions) as string[] };
}

export function findRoleRecord(sql: Sql, orgId: string, name: string): RoleRecord | null {
  const row = sql<RoleRow>(`${select} WHERE org_id = ? AND name = ?`).get(orgId, name);
  return row === undefined ? null : roleRecord(row);
}

export function listRoleRecords(sql: Sql, orgId: string): RoleRecord[] {
  return sql<RoleRow>(`${select} WHERE org_id = ? ORDER BY name`).all(orgId).map(roleRecord);
}

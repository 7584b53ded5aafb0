import { BerthError } from "../../../../lib/errors.ts";
import type { RoleRecord } from "../../../identity.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findRoleRecord } from "../../queries/identity/roles.ts";
import type { Transaction } from "../../transaction.ts";

export function putRole(tx: Transaction, args: ArgsOf<"putRole">): RoleRecord {
  const { orgId, name, description, permissions } = args;
  tx.sql(
    `INSERT INTO roles (org_id, name, description, permissions, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
      ON CONFLICT (org_id, name) DO UPDATE SET description = ?3, permissions = ?4, updated_at = ?5`,
  ).run(orgId, name, description, JSON.stringify(permissions), tx.now);
  const role = findRoleRecord(tx.sql, orgId, name);
  if (role === null) throw new BerthError("internal", `role ${name} was written and cannot be read`);
  return role;
}

export function deleteRole(tx: Transaction, { orgId, name }: ArgsOf<"deleteRole">): boolean {
  const used = tx
    .sql(
      `SELECT 1 FROM members WHERE org_id = ?1 AND role = ?2
        UNION ALL SELECT 1 FROM service_accounts WHERE org_id = ?1 AND role = ?2
        UNION ALL SELECT 1 FROM invitations WHERE org_id = ?1 AND role = ?2 AND accepted_at IS NULL
          AND revoked_at IS NULL AND expires_at > ?3 LIMIT 1`,
    )
    .get(orgId, name, tx.now);
  if (used !== undefined) {
    throw new BerthError(
      "role_in_use",
      `Members, service accounts or invitations have the role ${name}: give them another one first.`,
    );
  }
  const { changes } = tx.sql("DELETE FROM roles WHERE org_id = ? AND name = ?").run(orgId, name);
  return Number(changes) > 0;
}

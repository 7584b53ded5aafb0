import { isBuiltinRole } from "@berth/contract";
import { BerthError } from "../../../../lib/errors.ts";
import { findRoleRecord } from "../../queries/identity/roles.ts";
import type { Transaction } from "../../transaction.ts";

/** Throws `unknown_role` for a role that the organization has not. */
export function requireRole(tx: Transaction, orgId: string, role: string): void {
  if (isBuiltinRole(role) || findRoleRecord(tx.sql, orgId, role) !== null) return;
  throw new BerthError("unknown_role", `There is no role ${role}: GET /api/v1/roles lists what there is.`);
}

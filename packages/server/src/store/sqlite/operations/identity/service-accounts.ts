import { BerthError } from "../../../../lib/errors.ts";
import type { CertificateName, ServiceAccountRecord } from "../../../identity.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findServiceAccountRecord } from "../../queries/identity/service-accounts.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";
import { endGivenAccess, voidInvitationsBy } from "./given-access.ts";
import { revokeKeysOf } from "./api-keys.ts";
import { requireRole } from "./role-exists.ts";

interface Ref {
  readonly orgId: string;
  readonly id: string;
}

export function createServiceAccount(
  tx: Transaction,
  args: ArgsOf<"createServiceAccount">,
): Outcome<ServiceAccountRecord> {
  const { orgId, id, name, role, createdBy, certificates } = args;
  return once(tx, args, () => {
    requireRole(tx, orgId, role);
    refuseTakenName(tx, args, name);
    tx.sql(
      `INSERT INTO service_accounts (org_id, id, name, role, created_by, created_at, updated_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)`,
    ).run(orgId, id, name, role, createdBy, tx.now);
    putCertificates(tx, args, certificates);
    return written(tx, args);
  });
}

export function updateServiceAccount(
  tx: Transaction,
  args: ArgsOf<"updateServiceAccount">,
): ServiceAccountRecord | null {
  const { orgId, id } = args;
  const account = findServiceAccountRecord(tx.sql, orgId, id);
  if (account === null) return null;
  const { name = account.name, role = account.role, status = account.status } = args;
  if (args.role !== undefined) requireRole(tx, orgId, args.role);
  refuseTakenName(tx, args, name);
  tx.sql(
    "UPDATE service_accounts SET name = ?, role = ?, status = ?, updated_at = ? WHERE org_id = ? AND id = ?",
  ).run(name, role, status, tx.now, orgId, id);
  const mayLess = role !== account.role && role !== "owner";
  if (status !== "active") endGivenAccess(tx, orgId, id);
  else if (mayLess) voidInvitationsBy(tx, orgId, id);
  if (args.certificates !== undefined) putCertificates(tx, args, args.certificates);
  return written(tx, args);
}

export function deleteServiceAccount(
  tx: Transaction,
  { orgId, id }: ArgsOf<"deleteServiceAccount">,
): boolean {
  const { changes } = tx.sql("DELETE FROM service_accounts WHERE org_id = ? AND id = ?").run(orgId, id);
  if (Number(changes) === 0) return false;
  tx.sql("DELETE FROM certificates WHERE org_id = ? AND service_account_id = ?").run(orgId, id);
  revokeKeysOf(tx, orgId, id);
  endGivenAccess(tx, orgId, id);
  return true;
}

function putCertificates(tx: Transaction, { orgId, id }: Ref, names: readonly CertificateName[]): void {
  tx.sql("DELETE FROM certificates WHERE org_id = ? AND service_account_id = ?").run(orgId, id);
  for (const { kind, value } of names) {
    const taken = tx.sql("SELECT 1 FROM certificates WHERE kind = ? AND value = ?").get(kind, value);
    if (taken !== undefined) {
      throw new BerthError(
        "certificate_taken",
        `The certificate ${kind} ${value} stands for a service account already.`,
      );
    }
    tx.sql(
      "INSERT INTO certificates (org_id, service_account_id, kind, value, created_at) VALUES (?, ?, ?, ?, ?)",
    ).run(orgId, id, kind, value, tx.now);
  }
}

function refuseTakenName(tx: Transaction, { orgId, id }: Ref, name: string): void {
  const other = tx
    .sql("SELECT 1 FROM service_accounts WHERE org_id = ? AND name = ? AND id <> ?")
    .get(orgId, name, id);
  if (other === undefined) return;
  throw new BerthError(
    "service_account_name_taken",
    `There is a service account named ${name} already: choose another name.`,
  );
}

function written(tx: Transaction, { orgId, id }: Ref): ServiceAccountRecord {
  const account = findServiceAccountRecord(tx.sql, orgId, id);
  if (account === null) {
    throw new BerthError("internal", `service account ${id} was written and cannot be read`);
  }
  return account;
}

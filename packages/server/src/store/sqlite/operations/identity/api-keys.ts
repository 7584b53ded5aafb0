import { BerthError } from "../../../../lib/errors.ts";
import type { ApiKeyRecord } from "../../../identity.ts";
import type { Outcome } from "../../../store.ts";
import type { ArgsOf } from "../../protocol.ts";
import { findApiKeyRecord } from "../../queries/identity/api-keys.ts";
import { findStanding } from "../../queries/identity/standing.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";

export function createApiKey(tx: Transaction, args: ArgsOf<"createApiKey">): Outcome<ApiKeyRecord> {
  return once(tx, args, () => {
    const { orgId, principalType: type, principalId: id } = args;
    // The principal may have gone since the caller looked.
    const standing = findStanding(tx.sql, { orgId, type, id });
    if (standing === null || !standing.active) {
      throw new BerthError("unknown_principal", `There is no active member or service account ${id}.`);
    }
    return insertKey(tx, args);
  });
}

export function rotateApiKey(tx: Transaction, args: ArgsOf<"rotateApiKey">): Outcome<ApiKeyRecord> {
  return once(tx, args, () => {
    const { orgId, id, replacement, overlapUntil, expiresAt } = args;
    const old = findApiKeyRecord(tx.sql, orgId, id);
    if (old === null || old.revokedAt !== null || (old.expiresAt ?? Infinity) <= tx.now) {
      throw new BerthError("api_key_not_found", `There is no API key ${id} that works.`);
    }
    if (old.replacedBy !== null) {
      throw new BerthError(
        "api_key_replaced",
        `This key was rotated before: ${old.replacedBy} took its place.`,
      );
    }
    tx.sql(
      `UPDATE api_keys SET replaced_by = ?1, expires_at = min(coalesce(expires_at, ?2), ?2)
        WHERE org_id = ?3 AND id = ?4`,
    ).run(replacement.id, overlapUntil, orgId, id);
    return insertKey(tx, { ...old, ...replacement, expiresAt });
  });
}

export function revokeApiKey(tx: Transaction, { orgId, id }: ArgsOf<"revokeApiKey">): ApiKeyRecord | null {
  tx.sql("UPDATE api_keys SET revoked_at = ? WHERE org_id = ? AND id = ? AND revoked_at IS NULL").run(
    tx.now,
    orgId,
    id,
  );
  return findApiKeyRecord(tx.sql, orgId, id);
}

export function revokeKeysOf(tx: Transaction, orgId: string, principalId: string): void {
  tx.sql(
    "UPDATE api_keys SET revoked_at = ? WHERE org_id = ? AND principal_id = ? AND revoked_at IS NULL",
  ).run(tx.now, orgId, principalId);
}

export function touchApiKeys(tx: Transaction, used: ArgsOf<"touchApiKeys">): void {
  for (const { orgId, id, at } of used) {
    tx.sql(
      "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE org_id = ? AND id = ?",
    ).run(at, orgId, id);
  }
}

type NewKey = Omit<ArgsOf<"createApiKey">, "audit" | "idempotency">;

function insertKey(tx: Transaction, key: NewKey): ApiKeyRecord {
  const { orgId, id, scopes } = key;
  tx.sql(
    `INSERT INTO api_keys (org_id, id, prefix, hash, name, principal_type, principal_id, scopes, created_by, created_at,
      expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    orgId,
    id,
    key.prefix,
    key.hash,
    key.name,
    key.principalType,
    key.principalId,
    scopes === null ? null : JSON.stringify(scopes),
    key.createdBy,
    tx.now,
    key.expiresAt,
  );
  const written = findApiKeyRecord(tx.sql, orgId, id);
  if (written === null) throw new BerthError("internal", `API key ${id} was written and cannot be read`);
  return written;
}

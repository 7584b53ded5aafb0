import { BerthError } from "../../../../lib/errors.ts";
import type { ModelProviderRecord } from "../../../model-providers.ts";
import type { Outcome } from "../../../store.ts";
import type { VaultOperations } from "../../protocol/vault.ts";
import { findModelProviderRecord } from "../../queries/vault/model-providers.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";
import { changeSecrets } from "./secrets.ts";

type Args<K extends keyof VaultOperations> = Parameters<VaultOperations[K]>[0];

export function putModelProvider(
  tx: Transaction,
  args: Args<"putModelProvider">,
): Outcome<ModelProviderRecord> {
  return once(tx, args, () => {
    const { orgId, provider, secrets, limit } = args;
    if (findModelProviderRecord(tx.sql, orgId, provider.name) === null) refuseTooMany(tx, orgId, limit);
    tx.sql(`INSERT INTO model_providers (org_id, name, definition, created_by, created_at, updated_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?5)
      ON CONFLICT (org_id, name) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at`).run(
      orgId,
      provider.name,
      JSON.stringify(provider),
      secrets.by,
      tx.now,
    );
    changeSecrets(tx, orgId, secrets);
    providersChanged(tx, orgId);
    const written = findModelProviderRecord(tx.sql, orgId, provider.name);
    if (written === null) throw new BerthError("internal", "a model provider was written and cannot be read");
    return written;
  });
}

export function removeModelProvider(
  tx: Transaction,
  { orgId, name, secrets }: Args<"removeModelProvider">,
): boolean {
  const { changes } = tx.sql("DELETE FROM model_providers WHERE org_id = ? AND name = ?").run(orgId, name);
  if (Number(changes) === 0) return false;
  changeSecrets(tx, orgId, secrets);
  providersChanged(tx, orgId);
  return true;
}

/** Tells who keeps providers in memory. */
export function providersChanged(tx: Transaction, orgId: string): void {
  tx.sql(
    `INSERT INTO provider_versions (org_id, version) VALUES (?, 1)
      ON CONFLICT (org_id) DO UPDATE SET version = version + 1`,
  ).run(orgId);
}

function refuseTooMany(tx: Transaction, orgId: string, limit: number): void {
  const row = tx
    .sql<{ count: number }>("SELECT count(*) AS count FROM model_providers WHERE org_id = ?")
    .get(orgId);
  if ((row?.count ?? 0) < limit) return;
  throw new BerthError(
    "too_many_model_providers",
    `An organization has at most ${limit} model providers: delete one first.`,
  );
}

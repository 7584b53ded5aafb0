import { BerthError } from "../../../../lib/errors.ts";
import type { Outcome } from "../../../outcome.ts";
import type { SandboxSecretRecord } from "../../../vault.ts";
import type { VaultOperations } from "../../protocol/vault.ts";
import { listSandboxSecretRecords } from "../../queries/vault/secrets.ts";
import type { Transaction } from "../../transaction.ts";
import { once } from "../idempotency.ts";
import { changeSecrets } from "./secrets.ts";

type Args<K extends keyof VaultOperations> = Parameters<VaultOperations[K]>[0];

export function putSandboxSecret(
  tx: Transaction,
  args: Args<"putSandboxSecret">,
): Outcome<SandboxSecretRecord> {
  return once(tx, args, () => {
    const { orgId, secret, by, limit } = args;
    const before = listSandboxSecretRecords(tx.sql, orgId);
    if (before.length >= limit && before.every(({ name }) => name !== secret.name)) {
      throw new BerthError(
        "too_many_sandbox_secrets",
        `An organization has at most ${limit} secrets for sandboxes: remove one first.`,
      );
    }
    changeSecrets(tx, orgId, { put: [secret], drop: [], by });
    const written = listSandboxSecretRecords(tx.sql, orgId).find(({ name }) => name === secret.name);
    if (written === undefined) throw new BerthError("internal", "a secret was written and cannot be read");
    return written;
  });
}

export function removeSandboxSecret(
  tx: Transaction,
  { orgId, name, audit }: Args<"removeSandboxSecret">,
): boolean {
  if (listSandboxSecretRecords(tx.sql, orgId).every((one) => one.name !== name)) return false;
  changeSecrets(tx, orgId, { put: [], drop: [{ owner: "", kind: "sandbox", name }], by: audit.actor.id });
  return true;
}

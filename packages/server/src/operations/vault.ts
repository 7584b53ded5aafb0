import type { RotateVaultReply, VaultStatus } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { addDataKeys, resealSecrets, rewrapDataKeys } from "../auth/vault-rotation.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";

/** How the secrets of all organizations are sealed. */
export async function describeVault(context: OperationsContext, principal: Principal): Promise<VaultStatus> {
  requirePermission(principal, "server:manage");
  return statusOf(context);
}

/**
 * Brings every data key under the master key in use, and every secret under its organization's newest data key; with `dataKeys` each
 * organization gets another one first. Can be stopped anywhere: what is left is `pending`, and the next rotation goes on with it.
 */
export async function rotateVault(
  context: OperationsContext,
  principal: Principal,
  { dataKeys, origin }: { readonly dataKeys: boolean; readonly origin: Origin },
): Promise<RotateVaultReply> {
  requirePermission(principal, "server:manage");
  const { store, vault } = context;
  const [{ id: masterKey }] = vault.masterKeys;
  // Told before it begins: a rotation that is cut off has changed something too.
  await store.org(principal.orgId).audit.append(
    auditDraft(principal, origin, {
      action: "vault.rotated",
      target: { type: "vault", id: masterKey },
      details: { dataKeys },
    }),
  );
  const signal = origin.signal ?? new AbortController().signal;
  const rotating = { store, vault, signal };
  const rewrapped = await rewrapDataKeys(rotating);
  const made = dataKeys ? await addDataKeys(rotating) : 0;
  const resealed = await resealSecrets(rotating);
  return {
    rewrapped: rewrapped.done,
    made,
    resealed: resealed.done,
    unreadable: rewrapped.unreadable + resealed.unreadable,
    status: await statusOf(context),
  };
}

async function statusOf({ store, vault }: OperationsContext): Promise<VaultStatus> {
  const [{ id: masterKey }] = vault.masterKeys;
  const byMaster = await store.system.vault.countByMaster();
  const count = (keys: typeof byMaster) => keys.reduce((sum, { dataKeys }) => sum + dataKeys, 0);
  return {
    masterKey,
    dataKeys: {
      total: count(byMaster),
      pending: count(byMaster.filter(({ masterId }) => masterId !== masterKey)),
    },
    secrets: await store.system.vault.countSecrets(),
  };
}

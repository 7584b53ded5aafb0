import type { SandboxSecret, SandboxSecretBody } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { openSandboxSecret, sealSandboxSecret } from "../auth/sandbox-secrets.ts";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { SandboxSecretRecord } from "../store/vault.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { timeText } from "./views.ts";

const maxSecrets = 100;

/** The names and hosts of the organization's secrets for sandboxes. Nobody reads more of them. */
export async function listSandboxSecrets(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly SandboxSecret[]> {
  requirePermission(principal, "sandbox-secret:write");
  const { orgId } = principal;
  const records = await context.store.org(orgId).vault.listSandboxSecrets();
  const shown = records.map(async (record) => secretView(record, await hostsOf(context, orgId, record.name)));
  // One that was removed meanwhile is left out.
  return (await Promise.all(shown)).filter((one) => one !== null);
}

/** Makes or replaces a secret. Rejects with `too_many_sandbox_secrets`. */
export async function putSandboxSecret(
  context: OperationsContext,
  principal: Principal,
  {
    name,
    body,
    origin,
  }: { readonly name: string; readonly body: SandboxSecretBody; readonly origin: Origin },
): Promise<{ readonly secret: SandboxSecret; readonly replayed: boolean }> {
  requirePermission(principal, "sandbox-secret:write");
  const { orgId } = principal;
  const { value, hosts } = body;
  const { result, replayed } = await context.store.org(orgId).vault.putSandboxSecret({
    secret: await sealSandboxSecret(context.vault, { orgId, name, value: new Secret(value), hosts }),
    by: principal.id,
    limit: maxSecrets,
    audit: auditDraft(principal, origin, {
      action: "sandbox_secret.saved",
      target: { type: "sandbox_secret", id: name },
      details: { hosts: hosts.join(" ") },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  return { secret: { ...recordView(result), hosts }, replayed };
}

/** Deletes a secret. Rejects with `sandbox_secret_not_found`. */
export async function deleteSandboxSecret(
  context: OperationsContext,
  principal: Principal,
  { name, origin }: { readonly name: string; readonly origin: Origin },
): Promise<void> {
  requirePermission(principal, "sandbox-secret:write");
  const removed = await context.store.org(principal.orgId).vault.removeSandboxSecret({
    name,
    audit: auditDraft(principal, origin, {
      action: "sandbox_secret.deleted",
      target: { type: "sandbox_secret", id: name },
    }),
  });
  if (!removed) throw new BerthError("sandbox_secret_not_found", `There is no secret ${name} for sandboxes.`);
}

/** Null: it does not open. Undefined: there is none. */
async function hostsOf(
  context: OperationsContext,
  orgId: string,
  name: string,
): Promise<readonly string[] | null | undefined> {
  try {
    return (await openSandboxSecret(context, { orgId, name }))?.hosts;
  } catch (error) {
    if (error instanceof BerthError && error.code === "secret_unreadable") return null;
    throw error;
  }
}

function secretView(
  record: SandboxSecretRecord,
  hosts: readonly string[] | null | undefined,
): SandboxSecret | null {
  return hosts === undefined ? null : { ...recordView(record), hosts: hosts === null ? null : [...hosts] };
}

function recordView({ name, createdAt, updatedAt }: SandboxSecretRecord): Omit<SandboxSecret, "hosts"> {
  return { name, createdAt: timeText(createdAt), updatedAt: timeText(updatedAt) };
}

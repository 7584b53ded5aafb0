import type { SandboxSecret, SandboxSecretBody } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { sealSandboxSecret } from "../auth/sandbox-secrets.ts";
import { BerthError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { SandboxSecretRecord } from "../store/vault.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { timeText } from "./views.ts";

const maxSecrets = 100;

/** The names of the organization's secrets for sandboxes. Nobody reads more of them. */
export async function listSandboxSecrets(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly SandboxSecret[]> {
  requirePermission(principal, "sandbox-secret:write");
  return (await context.store.org(principal.orgId).vault.listSandboxSecrets()).map(secretView);
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
  return { secret: secretView(result), replayed };
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

function secretView({ name, createdAt, updatedAt }: SandboxSecretRecord): SandboxSecret {
  return { name, createdAt: timeText(createdAt), updatedAt: timeText(updatedAt) };
}

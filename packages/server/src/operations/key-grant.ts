import { grantable, type Permission, requirePermission } from "../auth/permissions.ts";
import { permissionsOf } from "../auth/principal-of.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";
import { isOperator, readPermissions, requireMayGive } from "./grants.ts";

// What a new key may be: never more than whoever makes it, and never more than whom it acts for.

/** Whom a key acts for. */
export interface KeyOwner {
  readonly type: "user" | "service";
  readonly id: string;
  readonly permissions: ReadonlySet<Permission>;
}

/** An active member or service account of the principal's organization. Rejects with `unknown_principal`. */
export async function keyOwnerOf(
  context: Pick<OperationsContext, "store">,
  principal: Principal,
  id: string,
): Promise<KeyOwner> {
  const type = id.startsWith("sva_") ? "service" : "user";
  const { orgId } = principal;
  const standing = await context.store.system.identity.findStanding({ orgId, type, id });
  if (standing === null || !standing.active) {
    throw new BerthError("unknown_principal", `There is no active member or service account ${id}.`);
  }
  return { type, id, permissions: permissionsOf(standing) };
}

/**
 * One's own key needs no permission, unless it is a key that asks: else who finds one could make others that outlast it. Nobody makes
 * a key for another person, not the operator either: what is done with it would be that person's doing, and what only that person
 * sees would be open to its maker. Throws `forbidden`.
 */
export function requireMayMake(principal: Principal, owner: KeyOwner): void {
  const own = owner.id === principal.id && owner.type === principal.type;
  if (!own || isKey(principal)) requirePermission(principal, "api-key:write");
  if (own || owner.type === "service") return;
  throw new BerthError(
    "forbidden",
    "People make their keys themselves, once they have logged in: for a program make a service account's key.",
  );
}

/** Whether it calls with an API key, or signs with one. */
export function isKey({ credential }: Principal): boolean {
  return credential.kind === "api_key" || credential.kind === "signature";
}

/**
 * What the key is limited to; null for all that its owner may do, now and later. Only whoever may do as much may make such a key.
 * Throws `unknown_permission` or `forbidden`.
 */
export function scopesOf(
  principal: Principal,
  owner: KeyOwner,
  wanted: readonly string[] | null,
): readonly Permission[] | null {
  if (wanted !== null) {
    const scopes = readPermissions(wanted, grantable);
    requireMayGive(principal, new Set(scopes), "This key");
    const beyond = scopes.filter((scope) => !owner.permissions.has(scope));
    if (beyond.length === 0) return scopes;
    throw new BerthError(
      "forbidden",
      `Whom this key acts for may not do that (${beyond.join(", ")}): leave it out, or change the role first.`,
      { details: { permissions: beyond } },
    );
  }
  const all = grantable.filter((permission) => owner.permissions.has(permission));
  if (owner.id === principal.id) {
    const own = all.filter((permission) => principal.permissions.has(permission));
    return own.length === all.length ? null : own;
  }
  requireMayGive(principal, owner.permissions, "Whom this key acts for");
  return null;
}

/**
 * Whose keys one may rotate: one's own and service accounts', and of what one could make. A key rotates itself, and others when it has
 * api-key:write: else who finds one could go on with keys that nobody looks for. Throws `forbidden`.
 */
export function requireMayRotate(
  principal: Principal,
  owner: KeyOwner,
  key: { readonly id: string; readonly scopes: readonly string[] | null },
): void {
  if (isKey(principal) && principal.credential.id !== key.id) requirePermission(principal, "api-key:write");
  if (owner.type === "user" && owner.id !== principal.id) {
    throw new BerthError("forbidden", "People rotate their keys themselves: you may revoke this one.");
  }
  const all = [...owner.permissions];
  const allowed = key.scopes === null ? all : all.filter((permission) => key.scopes?.includes(permission));
  requireMayGive(principal, new Set(allowed), "This key");
}

/** A key that makes another does not outlive itself by it. Times are milliseconds since 1970; null: never. */
export function expiryOf(principal: Principal, wanted: number | null): number | null {
  const { expiresAt } = principal.credential;
  if (!isKey(principal) || expiresAt === null || isOperator(principal)) return wanted;
  return wanted === null ? expiresAt : Math.min(wanted, expiresAt);
}

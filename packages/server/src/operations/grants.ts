import { type Permission, permissions as allPermissions } from "../auth/permissions.ts";
import { permissionsOf } from "../auth/principal-of.ts";
import type { Principal } from "../auth/principal.ts";
import { isBuiltinRole } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";

// Nobody gives what it has not itself, and nobody changes who may do more than it may. The operator, who runs the server, gives
// whatever an organization can have; each time the organization's audit log says so.

/** What a role of the organization allows. Rejects with `unknown_role`. */
export async function permissionsOfRole(
  { store }: Pick<OperationsContext, "store">,
  orgId: string,
  role: string,
): Promise<ReadonlySet<Permission>> {
  if (isBuiltinRole(role)) return permissionsOf({ role, rolePermissions: null });
  const custom = await store.org(orgId).identity.findRole(role);
  if (custom === null) {
    throw new BerthError("unknown_role", `There is no role ${role}: GET /api/v1/roles lists what there is.`);
  }
  return permissionsOf({ role, rolePermissions: custom.permissions });
}

/** Throws `forbidden` when the principal would give away what it has not itself. */
export function requireMayGive(principal: Principal, wanted: ReadonlySet<Permission>, what: string): void {
  const missing = lacks(principal, wanted);
  if (missing.length === 0) return;
  throw new BerthError(
    "forbidden",
    `${what} may do more than you may (${missing.join(", ")}): ask somebody who may do that.`,
    { details: { permissions: missing } },
  );
}

/** Throws `forbidden` when whoever is to be changed may do more than the principal may. */
export async function requireMayChange(
  context: Pick<OperationsContext, "store">,
  principal: Principal,
  whom: { readonly role: string; readonly what: string },
): Promise<void> {
  // A role that is no more allows nothing.
  const theirs = await permissionsOfRole(context, principal.orgId, whom.role).catch((error: unknown) => {
    if (error instanceof BerthError && error.code === "unknown_role") return new Set<Permission>();
    throw error;
  });
  requireMayGive(principal, theirs, whom.what);
}

/** Names of permissions as they came from outside. Throws `unknown_permission`. */
export function readPermissions(
  names: readonly string[],
  known: readonly Permission[],
): readonly Permission[] {
  const unknown = names.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0) {
    throw new BerthError(
      "unknown_permission",
      `There is no permission ${unknown.join(", ")} that can be given: choose from ${known.join(", ")}.`,
    );
  }
  return allPermissions.filter((permission) => names.includes(permission));
}

export function isOperator(principal: Principal): boolean {
  return principal.permissions.has("server:manage");
}

function lacks(principal: Principal, wanted: ReadonlySet<Permission>): Permission[] {
  if (isOperator(principal)) return [];
  return [...wanted].filter((permission) => !principal.permissions.has(permission));
}

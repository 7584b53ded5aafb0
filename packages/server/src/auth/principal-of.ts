import type { Standing } from "../store/identity.ts";
import { grantable, type Permission, type Role, rolePermissions } from "./permissions.ts";
import type { Credential, Principal } from "./principal.ts";

/**
 * The principal that a proven identity is: what its role allows, narrowed by the credential's scopes. Null for who is nowhere, or
 * is suspended or disabled. The only place where permissions are worked out.
 */
export function principalOf(
  standing: Standing | null,
  proof: { readonly credential: Credential; readonly scopes?: readonly string[] | null },
): Principal | null {
  if (standing === null || !standing.active) return null;
  const { type, id, name, orgId } = standing;
  const role = permissionsOf(standing);
  const permissions = proof.scopes == null ? role : narrowed(role, proof.scopes);
  return { type, id, name, orgId, permissions, credential: proof.credential };
}

/** What a role allows. A custom role that is no more allows nothing. */
export function permissionsOf({
  role,
  rolePermissions: custom,
}: Pick<Standing, "role" | "rolePermissions">): ReadonlySet<Permission> {
  if (custom === null) return isBuiltin(role) ? rolePermissions[role] : new Set();
  return new Set(grantable.filter((permission) => custom.includes(permission)));
}

function isBuiltin(role: string): role is Role {
  return Object.hasOwn(rolePermissions, role);
}

function narrowed(all: ReadonlySet<Permission>, scopes: readonly string[]): ReadonlySet<Permission> {
  return new Set([...all].filter((permission) => scopes.includes(permission)));
}

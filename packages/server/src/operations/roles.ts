import { builtinRoles, isBuiltinRole, type Role } from "@berth/contract";
import { tellAccessChanged } from "./tell-access-changed.ts";
import { grantable, requirePermission, rolePermissions } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { readPermissions, requireMayChange, requireMayGive } from "./grants.ts";
import { roleView } from "./identity-views.ts";

const descriptions: Readonly<Record<(typeof builtinRoles)[number], string>> = {
  owner: "everything in the organization, also whole copies and erasure",
  admin: "people, agents, keys, budgets and settings; every session",
  member: "own sessions and those that are shared",
  viewer: "reads what is shared",
};

interface OfRole {
  readonly name: string;
  readonly origin: Origin;
}

/** The built-in ones first, then the organization's own by name. */
export async function listRoles(context: OperationsContext, principal: Principal): Promise<readonly Role[]> {
  requirePermission(principal, "member:read");
  const own = await context.store.org(principal.orgId).identity.listRoles();
  return [...builtinRoles.map(builtinView), ...own.map(roleView)];
}

/**
 * Makes a role or changes it for all who have it, at once. Rejects with `builtin_role`, `unknown_permission`, or `forbidden` for what
 * the caller may not do itself, before or after.
 */
export async function putRole(
  context: OperationsContext,
  principal: Principal,
  request: OfRole & { readonly description: string; readonly permissions: readonly string[] },
): Promise<Role> {
  const { name, description, origin } = request;
  requirePermission(principal, "member:write");
  if (isBuiltinRole(name)) throw builtinRole(name);
  const permissions = readPermissions(request.permissions, grantable);
  requireMayGive(principal, new Set(permissions), `The role ${name}`);
  await requireMayChange(context, principal, { role: name, what: `The role ${name}` });
  const role = await context.store.org(principal.orgId).identity.putRole({
    name,
    description,
    permissions,
    audit: auditDraft(principal, origin, {
      action: "role.put",
      target: { type: "role", id: name },
      details: { permissions: permissions.join(" ") },
    }),
  });
  tellAccessChanged(context, principal.orgId);
  return roleView(role);
}

/** Rejects with `role_not_found`, `role_in_use`, `builtin_role` or `forbidden`. */
export async function deleteRole(
  context: OperationsContext,
  principal: Principal,
  { name, origin }: OfRole,
): Promise<void> {
  requirePermission(principal, "member:write");
  if (isBuiltinRole(name)) throw builtinRole(name);
  await requireMayChange(context, principal, { role: name, what: `The role ${name}` });
  const deleted = await context.store.org(principal.orgId).identity.deleteRole({
    name,
    audit: auditDraft(principal, origin, { action: "role.deleted", target: { type: "role", id: name } }),
  });
  if (!deleted) throw roleNotFound(name);
}

export function roleNotFound(name: string): BerthError {
  return new BerthError("role_not_found", `There is no role ${name} of your organization's own.`);
}

function builtinView(name: (typeof builtinRoles)[number]): Role {
  return {
    name,
    builtin: true,
    description: descriptions[name],
    permissions: [...rolePermissions[name]],
    createdAt: null,
    updatedAt: null,
  };
}

function builtinRole(name: string): BerthError {
  return new BerthError(
    "builtin_role",
    `The role ${name} is built in and stays as it is: make one of your own.`,
  );
}

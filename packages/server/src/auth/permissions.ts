import { BerthError } from "../lib/errors.ts";

/** Everything that a caller may be allowed to do: `resource:action`. */
export const permissions = [
  "agent:read",
  "agent:write",
  "session:read",
  /** Create, send, rename, fork, rewind, cancel, archive, change todos and files. */
  "session:write",
  "session:delete",
  /** Create and find sessions for another owner, for back ends with one account. */
  "session:act-as",
  "approval:read",
  /** Never given to a credential that is minted for a sandbox, a tool or a service. */
  "approval:decide",
  "tool:read",
  "model:read",
  "runtime:read",
  /** Evict live sessions, clean up, release quarantined ones. */
  "runtime:manage",
  "system:read",
] as const;

export type Permission = (typeof permissions)[number];
export type Role = "owner" | "admin" | "member" | "viewer";

const reading = permissions.filter((permission) => permission.endsWith(":read"));
const viewer = reading.filter((permission) => permission !== "runtime:read" && permission !== "system:read");
const member = [...viewer, "session:write", "session:delete", "approval:decide"] as const;
const admin = [...member, "agent:write", "runtime:read", "system:read"] as const;

/** What each role may do; every role may do what the one after it may. */
export const rolePermissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(permissions),
  admin: new Set(admin),
  member: new Set(member),
  viewer: new Set(viewer),
};

/** Throws `forbidden` when the principal may not do it. */
export function requirePermission(
  principal: { readonly permissions: ReadonlySet<Permission> },
  permission: Permission,
): void {
  if (principal.permissions.has(permission)) return;
  throw new BerthError(
    "forbidden",
    `this needs the permission ${permission}: ask an administrator of your organization for it`,
    { details: { permission } },
  );
}

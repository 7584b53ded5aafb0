import type { BuiltinRole } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";

/** Everything that a caller may be allowed to do: `resource:action`. */
export const permissions = [
  "agent:read",
  "agent:write",
  /** One's own sessions and those that their owners share with the organization. */
  "session:read",
  /** Create, send, rename, fork, rewind, cancel, archive, change todos and files. */
  "session:write",
  "session:delete",
  /** Make and revoke links with which anybody reads one session. */
  "session:share",
  /** Reach every session of the organization, also those that are private to their owners. */
  "session:manage",
  /** Create and find sessions for another owner, for back ends with one account. */
  "session:act-as",
  "approval:read",
  /** Never given to a credential that is minted for a sandbox, a tool or a service. */
  "approval:decide",
  "tool:read",
  "model:read",
  /** One's own settings: sandbox strategy, prompt fragments, model providers. */
  "user-config:write",
  /** Model providers of the whole organization, and their keys. */
  "model-provider:write",
  /** Secrets of the organization that its agents' sandboxes may use: put, name and remove them. */
  "sandbox-secret:write",
  "usage:read",
  "budget:read",
  "budget:write",
  "quota:read",
  "org:read",
  /** The organization's name and settings: defaults, retention, addresses that may call. */
  "org:write",
  "member:read",
  /** Invite, change roles, suspend and remove; also custom roles. */
  "member:write",
  "service-account:read",
  "service-account:write",
  /** Keys of other principals: make and rotate those of service accounts, revoke anybody's. One's own need nothing. */
  "api-key:read",
  "api-key:write",
  "audit:read",
  /** Whole copies of the organization's or of a user's data. */
  "data:export",
  "data:erase",
  "runtime:read",
  /** Evict live sessions, clean up, release quarantined ones. */
  "runtime:manage",
  "system:read",
  /** The operator's: make, suspend and delete organizations, set their quotas, act in them, back up, rotate the vault. */
  "server:manage",
] as const;

export type Permission = (typeof permissions)[number];
export type Role = BuiltinRole;

const viewer = ["agent:read", "session:read", "approval:read", "tool:read", "model:read"] as const;
const member = [
  ...viewer,
  "session:write",
  "session:delete",
  "session:share",
  "approval:decide",
  "user-config:write",
  "org:read",
  "member:read",
] as const;
const admin = [
  ...member,
  "agent:write",
  "session:manage",
  "model-provider:write",
  "sandbox-secret:write",
  "usage:read",
  "budget:read",
  "budget:write",
  "quota:read",
  "org:write",
  "member:write",
  "service-account:read",
  "service-account:write",
  "api-key:read",
  "api-key:write",
  "audit:read",
  "runtime:read",
] as const;
const owner = [...admin, "session:act-as", "data:export", "data:erase"] as const;

/** What each role may do in its organization; every role may do what the one after it may. */
export const rolePermissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(owner),
  admin: new Set(admin),
  member: new Set(member),
  viewer: new Set(viewer),
};

/** Whoever holds the admin key, at home: an owner who also runs the server. */
export const operatorPermissions: ReadonlySet<Permission> = new Set(permissions);

/** The operator in somebody else's organization: runs it, and reads none of its conversations. */
export const operatorAbroad: ReadonlySet<Permission> = new Set([
  "agent:read",
  "usage:read",
  "budget:read",
  "budget:write",
  "quota:read",
  "org:read",
  "org:write",
  "member:read",
  "member:write",
  "service-account:read",
  "service-account:write",
  "api-key:read",
  "api-key:write",
  "audit:read",
  "data:export",
  "data:erase",
  "server:manage",
] as const);

/** What a custom role may be made of: everything but the operator's. */
export const grantable: readonly Permission[] = owner;

/** Throws `forbidden` when the principal may not do it. */
export function requirePermission(
  principal: { readonly permissions: ReadonlySet<Permission> },
  permission: Permission,
): void {
  if (principal.permissions.has(permission)) return;
  const who = grantable.includes(permission)
    ? "ask an administrator of your organization for it"
    : "only the operator has it, with the server's admin key";
  throw new BerthError("forbidden", `this needs the permission ${permission}: ${who}`, {
    details: { permission },
  });
}

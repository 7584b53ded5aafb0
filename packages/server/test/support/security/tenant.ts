import { makeApiKey } from "../../../src/auth/api-key.ts";
import { newId } from "../../../src/lib/id.ts";
import type { AuditDraft } from "../../../src/store/audit.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Canaries } from "./canaries.ts";

export const roles = ["owner", "admin", "member", "viewer"] as const;
export type SeatRole = (typeof roles)[number];

/** Somebody with a key of its own. */
export interface Seat {
  readonly id: string;
  readonly keyId: string;
  readonly key: string;
}

/** An organization with one person of each role, a service account, and keys that open nothing any more. */
export interface Tenant {
  readonly orgId: string;
  readonly slug: string;
  /** Stands in whatever the organization says of itself. */
  readonly mark: string;
  readonly people: Readonly<Record<SeatRole, Seat>>;
  readonly service: Seat;
  readonly expired: string;
  readonly revoked: string;
}

export interface TenantParts {
  readonly store: Store;
  readonly pepper: Buffer;
  readonly canaries: Canaries;
  readonly home: string;
}

/** People of all organizations have the same names; only ids and marks differ. */
export async function makeTenant(parts: TenantParts, slug: string): Promise<Tenant> {
  const { store } = parts;
  const orgId = newId("org");
  const mark = `MARK-${slug}-${newId("request").slice(-8)}`;
  const org = { orgId, slug, name: mark, caller: parts.home };
  await store.system.identity.createOrg({ ...org, audit: entry("org.created") });
  const seats = await Promise.all(
    roles.map(async (role) => [role, await person(parts, { orgId, slug, role })] as const),
  );
  const people = Object.fromEntries(seats) as Record<SeatRole, Seat>;
  const account = { id: newId("serviceAccount"), name: "robot", role: "member", createdBy: people.owner.id };
  const made = { ...account, certificates: [], audit: entry("service_account.created") };
  await store.org(orgId).identity.createServiceAccount(made);
  const service = await keyFor(parts, { orgId, type: "service", id: account.id, area: `${slug}-service` });
  const member = { orgId, type: "user", id: people.member.id } as const;
  const expired = await keyFor(parts, { ...member, area: `${slug}-expired`, expiresAt: 1 });
  const revoked = await keyFor(parts, { ...member, area: `${slug}-revoked` });
  await store.org(orgId).identity.revokeApiKey({ id: revoked.keyId, audit: entry("api_key.revoked") });
  return { orgId, slug, mark, people, service, expired: expired.key, revoked: revoked.key };
}

/** The server's own organization: the admin key is everybody there. */
export function operatorsTenant(own: {
  orgId: string;
  orgName: string;
  userId: string;
  key: string;
}): Tenant {
  const seat = { id: own.userId, keyId: "admin", key: own.key };
  const people = { owner: seat, admin: seat, member: seat, viewer: seat };
  const rest = { service: seat, expired: "", revoked: "" };
  return { orgId: own.orgId, slug: "default", mark: "MARK-home", people, ...rest };
}

/** One more member. */
export async function newMember(
  { store }: Pick<TenantParts, "store">,
  { orgId, email, role }: { orgId: string; email: string; role: SeatRole },
): Promise<string> {
  const who = { orgId, userId: newId("user"), name: `Sam ${role}`, email };
  const rest = { emailVerified: true, identity: null, role, updateRole: false, audit: entry("member.added") };
  return (await store.system.identity.provision({ ...who, ...rest })).id;
}

async function person(
  parts: TenantParts,
  { orgId, slug, role }: { orgId: string; slug: string; role: SeatRole },
): Promise<Seat> {
  const id = await newMember(parts, { orgId, email: `${role}@${slug}.example`, role });
  return keyFor(parts, { orgId, type: "user", id, area: `${slug}-${role}` });
}

/** A new key of somebody. */
export async function keyFor(
  { store, pepper, canaries }: TenantParts,
  whose: {
    readonly orgId: string;
    readonly type: "user" | "service";
    readonly id: string;
    readonly area: string;
    readonly expiresAt?: number;
    readonly scopes?: readonly string[];
  },
): Promise<Seat> {
  const { key, prefix, hash } = makeApiKey(pepper);
  const { result } = await store.org(whose.orgId).identity.createApiKey({
    id: newId("apiKey"),
    prefix,
    hash,
    name: "of the tests",
    principalType: whose.type,
    principalId: whose.id,
    scopes: whose.scopes ?? null,
    createdBy: whose.id,
    expiresAt: whose.expiresAt ?? null,
    audit: entry("api_key.created"),
  });
  return { id: whose.id, keyId: result.id, key: canaries.keep(`key of ${whose.area}`, key.reveal()) };
}

export function entry(action: string): AuditDraft {
  const actor = { type: "system", id: "tests", name: "tests" } as const;
  const rest = { credential: null, target: null, requestId: null, address: null, details: {} };
  return { id: newId("audit"), actor, action, outcome: "done", ...rest };
}

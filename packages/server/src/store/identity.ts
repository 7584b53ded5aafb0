import type { Page } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";
import type { Idempotency, Outcome } from "./store.ts";

// Who there is. Times are milliseconds since 1970. Every change brings its audit entry, which commits with it.

/** What every change of this part of the store brings along. */
export interface Audited {
  readonly audit: AuditDraft;
}

/** A change that a client may repeat. */
export interface Creation extends Audited {
  readonly idempotency?: Idempotency;
}

export interface OrgRecord {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly status: "active" | "suspended" | "erasing";
  /** As the contract's `orgSettings`; what is missing has its default. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A person, in however many organizations. */
export interface AccountRecord {
  readonly id: string;
  readonly name: string;
  /** Lower case. */
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** PHC string (argon2id); null: no password. */
  readonly passwordHash: string | null;
  readonly status: "active" | "disabled";
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastLoginAt: number | null;
}

export interface MemberRecord {
  readonly orgId: string;
  readonly userId: string;
  readonly name: string;
  readonly email: string | null;
  /** Name of a built-in or custom role. */
  readonly role: string;
  readonly status: "active" | "suspended";
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly lastLoginAt: number | null;
}

export interface InvitationRecord {
  readonly orgId: string;
  readonly id: string;
  readonly kind: "join" | "reset";
  readonly email: string;
  readonly name: string | null;
  readonly role: string;
  readonly invitedBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly acceptedAt: number | null;
  readonly revokedAt: number | null;
}

export interface RoleRecord {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ServiceAccountRecord {
  readonly orgId: string;
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly status: "active" | "disabled";
  readonly certificates: readonly CertificateName[];
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface CertificateName {
  readonly kind: "fingerprint" | "name";
  readonly value: string;
}

export interface ApiKeyRecord {
  readonly orgId: string;
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  readonly principalType: "user" | "service";
  readonly principalId: string;
  /** Permissions that it is limited to; null: all that its principal has. */
  readonly scopes: readonly string[] | null;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
  /** The key that took its place; it works until `expiresAt`. */
  readonly replacedBy: string | null;
}

export interface PageFilter {
  readonly limit: number;
  readonly after?: string;
}

/** `OrgStore.identity`: one organization's people, accounts, keys and roles. */
export interface OrgIdentity {
  findOrg(): Promise<OrgRecord | null>;
  /** Null when there is no such organization. `settings` replaces the members that it names. Rejects with `org_slug_taken`. */
  updateOrg(
    change: Audited & {
      readonly name?: string;
      readonly slug?: string;
      readonly status?: "active" | "suspended";
      readonly settings?: Readonly<Record<string, unknown>>;
    },
  ): Promise<OrgRecord | null>;

  findMember(userId: string): Promise<MemberRecord | null>;
  /** In the order of ids. */
  listMembers(filter: PageFilter & { readonly email?: string }): Promise<Page<MemberRecord>>;
  /** Null when there is none. Rejects with `last_owner` when nobody active would own the organization any more. */
  updateMember(
    change: Audited & {
      readonly userId: string;
      readonly role?: string;
      readonly status?: MemberRecord["status"];
    },
  ): Promise<MemberRecord | null>;
  /** Their keys are revoked and their logins here end. False when there is none. Rejects with `last_owner`. */
  removeMember(change: Audited & { readonly userId: string }): Promise<boolean>;

  createInvitation(
    change: Creation &
      Omit<InvitationRecord, "orgId" | "acceptedAt" | "revokedAt"> & { readonly tokenHash: string },
  ): Promise<Outcome<InvitationRecord>>;
  listInvitations(filter: PageFilter & { readonly open?: boolean }): Promise<Page<InvitationRecord>>;
  /** False when there is none that is open. */
  revokeInvitation(change: Audited & { readonly id: string }): Promise<boolean>;

  listRoles(): Promise<readonly RoleRecord[]>;
  putRole(change: Audited & Pick<RoleRecord, "name" | "description" | "permissions">): Promise<RoleRecord>;
  /** False when there is none. Rejects with `role_in_use`. */
  deleteRole(change: Audited & { readonly name: string }): Promise<boolean>;

  /** Rejects with `service_account_name_taken` or `certificate_taken`. */
  createServiceAccount(
    change: Creation & Pick<ServiceAccountRecord, "id" | "name" | "role" | "createdBy" | "certificates">,
  ): Promise<Outcome<ServiceAccountRecord>>;
  findServiceAccount(id: string): Promise<ServiceAccountRecord | null>;
  listServiceAccounts(filter: PageFilter): Promise<Page<ServiceAccountRecord>>;
  updateServiceAccount(
    change: Audited & {
      readonly id: string;
      readonly name?: string;
      readonly role?: string;
      readonly status?: ServiceAccountRecord["status"];
      readonly certificates?: readonly CertificateName[];
    },
  ): Promise<ServiceAccountRecord | null>;
  /** Its keys go with it. False when there is none. */
  deleteServiceAccount(change: Audited & { readonly id: string }): Promise<boolean>;

  createApiKey(
    change: Creation &
      Pick<
        ApiKeyRecord,
        "id" | "prefix" | "name" | "principalType" | "principalId" | "scopes" | "createdBy" | "expiresAt"
      > & {
        readonly hash: string;
      },
  ): Promise<Outcome<ApiKeyRecord>>;
  findApiKey(id: string): Promise<ApiKeyRecord | null>;
  listApiKeys(filter: PageFilter & { readonly principalId?: string }): Promise<Page<ApiKeyRecord>>;
  countApiKeys(): Promise<number>;
  /** The old key works until `overlapUntil`. Null when there is none that works. */
  rotateApiKey(
    change: Audited & {
      readonly id: string;
      readonly replacement: { readonly id: string; readonly prefix: string; readonly hash: string };
      readonly overlapUntil: number;
      readonly expiresAt: number | null;
    },
  ): Promise<ApiKeyRecord | null>;
  /** Null when there is none; one that was revoked before comes back as it is. */
  revokeApiKey(change: Audited & { readonly id: string }): Promise<ApiKeyRecord | null>;
}

/** What a principal is made of, read in one go: who, where, what for. */
export interface Standing {
  readonly orgId: string;
  readonly orgStatus: OrgRecord["status"];
  readonly orgSettings: OrgRecord["settings"];
  readonly type: "user" | "service";
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Of a custom role; null for a built-in one. */
  readonly rolePermissions: readonly string[] | null;
  /** Account, membership and organization are all active. */
  readonly active: boolean;
}

export interface FoundApiKey {
  readonly key: ApiKeyRecord;
  readonly hash: string;
  readonly standing: Standing | null;
}

export interface LoginRecord {
  readonly id: string;
  readonly userId: string;
  readonly orgId: string;
  readonly csrfHash: string;
  readonly method: "password" | "oidc";
  readonly address: string | null;
  readonly agent: string | null;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  readonly expiresAt: number;
}

/** `SystemStore.identity`: the closed list of what looks for somebody before an organization is known. */
export interface SystemIdentity {
  /** By the key's prefix. */
  findApiKey(prefix: string): Promise<FoundApiKey | null>;
  /** Notes when keys were last used; several at once, without an audit entry. */
  touchApiKeys(
    used: readonly { readonly orgId: string; readonly id: string; readonly at: number }[],
  ): Promise<void>;
  /** Null when the user is no member there, or there is no such service account. */
  findStanding(who: {
    readonly orgId: string;
    readonly type: "user" | "service";
    readonly id: string;
  }): Promise<Standing | null>;
  /** By a client certificate's fingerprint or names. */
  findByCertificate(names: readonly CertificateName[]): Promise<Standing | null>;

  findOrgBySlug(slug: string): Promise<OrgRecord | null>;
  /** Every organization, for the operator. In the order of ids. */
  listOrgs(filter: PageFilter): Promise<Page<OrgRecord>>;
  /** Rejects with `org_slug_taken`. The audit entry goes to the new organization's own log. */
  createOrg(
    change: Creation & { readonly orgId: string; readonly slug: string; readonly name: string },
  ): Promise<Outcome<OrgRecord>>;

  findAccountByEmail(email: string): Promise<AccountRecord | null>;
  findAccount(userId: string): Promise<AccountRecord | null>;
  findAccountByIdentity(identity: {
    readonly source: string;
    readonly issuer: string;
    readonly subject: string;
  }): Promise<AccountRecord | null>;
  /** The organizations that a person is an active member of. */
  listMemberships(userId: string): Promise<readonly { readonly org: OrgRecord; readonly role: string }[]>;
  /**
   * Makes a person known and a member, as an identity provider or an invitation says: account, identity and membership, whatever of
   * them is missing; an existing member's role is changed when `updateRole`. Audited in that organization when anything changed.
   */
  provision(
    change: Audited & {
      readonly orgId: string;
      readonly userId: string;
      readonly name: string;
      readonly email: string | null;
      readonly emailVerified: boolean;
      readonly identity: {
        readonly source: string;
        readonly issuer: string;
        readonly subject: string;
      } | null;
      readonly role: string;
      readonly updateRole: boolean;
    },
  ): Promise<AccountRecord>;
  setPassword(change: { readonly userId: string; readonly passwordHash: string }): Promise<void>;

  /** By the hash of its token. Null also when it has expired, was used or was revoked. */
  findInvitation(tokenHash: string): Promise<InvitationRecord | null>;
  /** Uses it up: account and membership are made, the password is set. Rejects with `invitation_invalid`. */
  acceptInvitation(
    change: Audited & {
      readonly orgId: string;
      readonly tokenHash: string;
      readonly userId: string;
      readonly name: string;
      /** Null: an account that there is keeps its own. */
      readonly passwordHash: string | null;
    },
  ): Promise<AccountRecord>;

  createLogin(login: LoginRecord & { readonly tokenHash: string }): Promise<void>;
  /** Null also when it has expired. */
  findLogin(tokenHash: string): Promise<LoginRecord | null>;
  touchLogin(change: {
    readonly id: string;
    readonly at: number;
    readonly expiresAt: number;
    readonly orgId?: string;
  }): Promise<void>;
  endLogins(which: { readonly id: string } | { readonly userId: string }): Promise<number>;
  /** Deletes what has expired. Returns how many rows went. */
  pruneIdentity(limit: number): Promise<number>;
}

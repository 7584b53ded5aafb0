import type { Page } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";
import type {
  Acceptance,
  AccountRecord,
  ApiKeyRecord,
  CertificateName,
  FoundApiKey,
  InvitationRecord,
  LoginRecord,
  MemberRecord,
  NewInvitation,
  OrgRecord,
  RoleRecord,
  ServiceAccountRecord,
  Standing,
} from "./identity-records.ts";
import type { Idempotency, Outcome } from "./outcome.ts";

export type * from "./identity-records.ts";

// Who there is. Times are milliseconds since 1970. Every change brings its audit entry, which commits with it.

/** What every change of this part of the store brings along. */
export interface Audited {
  readonly audit: AuditDraft;
}

/** A change that a client may repeat. */
export interface Creation extends Audited {
  readonly idempotency?: Idempotency;
}

export interface PageFilter {
  readonly limit: number;
  readonly after?: string;
}

/** `OrgStore.identity`: one organization's people, accounts, keys and roles. */
export interface OrgIdentity {
  findOrg(): Promise<OrgRecord | null>;
  /**
   * Null when there is no such organization. One that is suspended has its sessions taken from who holds them, and nobody can claim them
   * until it is active again. `settings` replaces the members that it names; one that is null has its default again.
   * Rejects with `org_slug_taken`, `org_erasing`, or `home_org` when the server's own would be suspended.
   */
  updateOrg(
    change: Audited & {
      readonly name?: string;
      readonly slug?: string;
      readonly status?: "active" | "suspended";
      readonly settings?: Readonly<Record<string, unknown>>;
    },
  ): Promise<OrgRecord | null>;
  /** Whether a person belongs to this organization and to no other. */
  isOnlyHere(userId: string): Promise<boolean>;

  findMember(userId: string): Promise<MemberRecord | null>;
  /** In the order of ids. */
  listMembers(filter: PageFilter & { readonly email?: string }): Promise<Page<MemberRecord>>;
  /**
   * Null when there is none. Rejects with `last_owner` when nobody active would own the organization any more, `operator_account`, or
   * `unknown_role`.
   */
  updateMember(
    change: Audited & {
      readonly userId: string;
      readonly role?: string;
      readonly status?: MemberRecord["status"];
    },
  ): Promise<MemberRecord | null>;
  /**
   * Their keys are revoked, their logins here end, and what they were invited by is void. False when there is none. Rejects with
   * `last_owner` or `operator_account`.
   */
  removeMember(change: Audited & { readonly userId: string }): Promise<boolean>;

  /**
   * To `join`: rejects with `already_member`. To `reset` a password: with `member_not_found` when nobody here has the email. Open ones
   * of the same kind to the same address are revoked. Both reject with `unknown_role`.
   */
  createInvitation(change: Creation & NewInvitation): Promise<Outcome<InvitationRecord>>;
  findInvitation(id: string): Promise<InvitationRecord | null>;
  listInvitations(filter: PageFilter & { readonly open?: boolean }): Promise<Page<InvitationRecord>>;
  /** False when there is none that is open. */
  revokeInvitation(change: Audited & { readonly id: string }): Promise<boolean>;

  /** In the order of names. */
  listRoles(): Promise<readonly RoleRecord[]>;
  findRole(name: string): Promise<RoleRecord | null>;
  putRole(change: Audited & Pick<RoleRecord, "name" | "description" | "permissions">): Promise<RoleRecord>;
  /** False when there is none. Rejects with `role_in_use`. */
  deleteRole(change: Audited & { readonly name: string }): Promise<boolean>;

  /** Rejects with `service_account_name_taken`, `certificate_taken` or `unknown_role`. */
  createServiceAccount(
    change: Creation & Pick<ServiceAccountRecord, "id" | "name" | "role" | "createdBy" | "certificates">,
  ): Promise<Outcome<ServiceAccountRecord>>;
  findServiceAccount(id: string): Promise<ServiceAccountRecord | null>;
  listServiceAccounts(filter: PageFilter): Promise<Page<ServiceAccountRecord>>;
  /** Null when there is none. Rejects as creating does; disabling one keeps its keys, and none of them works. */
  updateServiceAccount(
    change: Audited & {
      readonly id: string;
      readonly name?: string;
      readonly role?: string;
      readonly status?: ServiceAccountRecord["status"];
      readonly certificates?: readonly CertificateName[];
    },
  ): Promise<ServiceAccountRecord | null>;
  /** Its keys are revoked and its certificates forgotten. False when there is none. */
  deleteServiceAccount(change: Audited & { readonly id: string }): Promise<boolean>;

  /** Rejects with `unknown_principal` when whose key it is to be is no active member or service account here. */
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
  /** Those that are neither revoked nor expired. */
  countApiKeys(): Promise<number>;
  /**
   * The new key; the old one works until `overlapUntil`, and not beyond its own end. Rejects with `api_key_not_found` when there is none
   * that works, and with `api_key_replaced` when it was rotated before.
   */
  rotateApiKey(
    change: Creation & {
      readonly id: string;
      readonly replacement: {
        readonly id: string;
        readonly prefix: string;
        readonly hash: string;
        readonly createdBy: string;
      };
      readonly overlapUntil: number;
      /** Of the new key. */
      readonly expiresAt: number | null;
    },
  ): Promise<Outcome<ApiKeyRecord>>;
  /** Null when there is none; one that was revoked before comes back as it is. */
  revokeApiKey(change: Audited & { readonly id: string }): Promise<ApiKeyRecord | null>;
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
  /** By a client certificate's fingerprint or names; null also when they belong to several accounts. */
  findByCertificate(names: readonly CertificateName[]): Promise<Standing | null>;

  findOrgBySlug(slug: string): Promise<OrgRecord | null>;
  /** Every organization, for the operator. In the order of ids. */
  listOrgs(filter: PageFilter): Promise<Page<OrgRecord>>;
  /**
   * With the invitation of its first owner, when there is one. Rejects with `org_slug_taken`. The audit entry goes to the new
   * organization's own log; `caller` is the organization that keeps the Idempotency-Key.
   */
  createOrg(
    change: Creation & {
      readonly orgId: string;
      readonly caller: string;
      readonly slug: string;
      readonly name: string;
      readonly owner?: NewInvitation;
    },
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
   * Makes a person known and a member, as an identity provider or the operator says: account, identity and membership, whatever of
   * them is missing; an existing member's role is changed when `updateRole`. Audited in that organization when anything changed.
   *
   * An email that is not verified finds nobody and is not kept. A verified one finds the account that has it; if that account had only
   * claimed the email, whoever claimed it loses its password and logins. Rejects with `unknown_role` or `last_owner`.
   */
  provision(
    change: Audited & {
      readonly orgId: string;
      /** Of an account that there is, or of the one to be made when the identity and the email find none. */
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
  /**
   * The first person who owns an organization, with a password. Null when there is one already, the operator aside. Rejects with
   * `email_taken`.
   */
  setUpOwner(
    change: Audited & {
      readonly orgId: string;
      readonly userId: string;
      readonly name: string;
      readonly email: string;
      readonly passwordHash: string;
    },
  ): Promise<AccountRecord | null>;
  /** What a person changes of itself. Null when there is no such account. */
  updateAccount(
    change: Audited & { readonly orgId: string; readonly userId: string; readonly name: string },
  ): Promise<AccountRecord | null>;
  /** Ends the person's logins but `keepLogin`, and voids open resets. False when there is no such account. */
  setPassword(
    change: Audited & {
      readonly orgId: string;
      readonly userId: string;
      readonly passwordHash: string;
      readonly keepLogin: string | null;
    },
  ): Promise<boolean>;

  /** By the hash of its token. Null also when it has expired, was used or was revoked. */
  findInvitation(tokenHash: string): Promise<InvitationRecord | null>;
  /**
   * Uses it up: account, membership or password are made as it says. Rejects with `invitation_invalid`, also when `as` is no longer
   * true of whoever has the email.
   */
  acceptInvitation(
    change: Audited & { readonly orgId: string; readonly tokenHash: string; readonly as: Acceptance },
  ): Promise<AccountRecord>;

  /** Notes when the person last logged in, too. */
  createLogin(
    login: LoginRecord & { readonly tokenHash: string; readonly audit?: AuditDraft },
  ): Promise<void>;
  /** Null also when it has expired. */
  findLogin(tokenHash: string): Promise<LoginRecord | null>;
  touchLogin(change: {
    readonly id: string;
    readonly at: number;
    readonly expiresAt: number;
    readonly orgId?: string;
  }): Promise<void>;
  /** Newest first. */
  listLogins(userId: string): Promise<readonly LoginRecord[]>;
  /** How many ended. The entry is written only when any did. */
  endLogins(
    which:
      | { readonly id: string }
      | { readonly userId: string; readonly id?: string; readonly except?: string },
    audited?: { readonly orgId: string; readonly audit: AuditDraft },
  ): Promise<number>;
  /** Deletes what has expired. Returns how many rows went. */
  pruneIdentity(limit: number): Promise<number>;
}

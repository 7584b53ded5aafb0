// Who there is, as the store keeps it. Times are milliseconds since 1970.

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
  /** Whom the admin key stands for at home: no account that a person logs in to. */
  readonly operator: boolean;
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

export type NewInvitation = Omit<InvitationRecord, "orgId" | "createdAt" | "acceptedAt" | "revokedAt"> & {
  readonly tokenHash: string;
};

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

/** What a principal is made of, read in one go: who, where, what for. */
export interface Standing {
  readonly orgId: string;
  readonly orgStatus: OrgRecord["status"];
  readonly orgSettings: OrgRecord["settings"];
  readonly type: "user" | "service";
  readonly id: string;
  readonly name: string;
  readonly role: string;
  /** Of a custom role; null for a built-in one, and for one that there is not. */
  readonly rolePermissions: readonly string[] | null;
  /** Account, membership and organization are all active. */
  readonly active: boolean;
}

export interface FoundApiKey {
  readonly key: ApiKeyRecord;
  readonly hash: string;
  readonly standing: Standing | null;
}

/** Who takes an invitation: somebody new, an account that has shown its password, or one that gets a new password. */
export type Acceptance =
  | {
      readonly kind: "new";
      readonly userId: string;
      readonly name: string;
      readonly passwordHash: string;
    }
  | { readonly kind: "known"; readonly userId: string }
  | { readonly kind: "reset"; readonly userId: string; readonly passwordHash: string };

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

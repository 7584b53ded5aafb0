import type { Permission } from "./permissions.ts";

/** How a caller proved who it is. */
export type CredentialKind =
  | "admin_key"
  | "api_key"
  | "jwt"
  | "sso_header"
  | "certificate"
  | "cookie"
  | "signature"
  | "share_link"
  /** Of no request: an agent at work, in the name of its session's owner. */
  | "agent";

/** What a caller proved itself with: enough to look at it again while a stream is open, and nothing that can be used. */
export interface Credential {
  readonly kind: CredentialKind;
  /** Id of the key, the login or the link; of a token its `jti` or subject. */
  readonly id: string;
  /** Milliseconds since 1970; null: until it is revoked. */
  readonly expiresAt: number | null;
  /** Of a signed request: hex SHA-256 of the body that it must have. */
  readonly bodyHash?: string;
}

/** Who is calling: a user or a service account, in one organization. */
export interface Principal {
  readonly type: "user" | "service";
  readonly id: string;
  readonly name: string;
  readonly orgId: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly credential: Credential;
  /** Set for who holds a share link, which has no permissions: this one session, to read and nothing else. */
  readonly onlySession?: string;
}

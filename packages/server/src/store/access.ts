import type { Page } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";
import type { Idempotency, Outcome } from "./outcome.ts";

// Links with which anybody reads one session. Times are milliseconds since 1970. Of a token only its hash is known here.

export interface ShareLinkRecord {
  readonly orgId: string;
  readonly id: string;
  readonly sessionId: string;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly uses: number;
}

/** `OrgStore.access` */
export interface OrgAccess {
  /** Rejects with `session_not_found`. */
  createShareLink(change: {
    readonly id: string;
    readonly sessionId: string;
    readonly tokenHash: string;
    readonly createdBy: string;
    readonly expiresAt: number;
    readonly audit: AuditDraft;
    readonly idempotency?: Idempotency;
  }): Promise<Outcome<ShareLinkRecord>>;
  /** Of one session, newest first; those that have ended too. */
  listShareLinks(filter: {
    readonly sessionId: string;
    readonly limit: number;
    readonly after?: string;
  }): Promise<Page<ShareLinkRecord>>;
  findShareLink(id: string): Promise<ShareLinkRecord | null>;
  /** Null when the session has no such link, or it is revoked already. */
  revokeShareLink(change: {
    readonly sessionId: string;
    readonly id: string;
    readonly audit: AuditDraft;
  }): Promise<ShareLinkRecord | null>;
}

/** `SystemStore.access`: what looks for a link before an organization is known. */
export interface SystemAccess {
  /** Null also when it has expired, was revoked, or its organization is not active. */
  findShareLinkByToken(tokenHash: string): Promise<ShareLinkRecord | null>;
  /** Notes uses, several at once, without an audit entry. */
  noteShareLinkUses(
    uses: readonly {
      readonly orgId: string;
      readonly id: string;
      readonly at: number;
      readonly count: number;
    }[],
  ): Promise<void>;
}

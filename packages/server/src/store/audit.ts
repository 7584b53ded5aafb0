/** One entry of an organization's audit log before it is written. It commits in the transaction of the change that it tells of. */
export interface AuditDraft {
  readonly id: string;
  readonly actor: {
    readonly type: "user" | "service" | "system";
    readonly id: string;
    readonly name: string;
  };
  /** How the actor proved itself, as `api_key:key_…`; null for the system. */
  readonly credential: string | null;
  /** `resource.verb`: `member.invited`, `api_key.revoked`, `access.refused`. */
  readonly action: string;
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly outcome: "done" | "refused";
  readonly requestId: string | null;
  /** The client's address. */
  readonly address: string | null;
  /** What changed, in few words. Never a secret. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

import type { Page } from "@berth/contract";

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

/** An entry as it was written: its texts are cut to a bounded length, and control characters in them are written as `\uXXXX`. */
export interface AuditRecord extends AuditDraft {
  readonly orgId: string;
  /** Milliseconds since 1970; within an organization it never goes back. */
  readonly at: number;
  /** Null for an entry of the last moments, which the sealer has not come to. */
  readonly seal: AuditSeal | null;
  /** The person's name and address, perhaps the details too, were blanked because the person was erased. */
  readonly erased: boolean;
}

/** What makes an entry a link of its organization's chain. MACs are lower-case hex. */
export interface AuditSeal {
  /** 1, 2, 3, … without a gap. */
  readonly number: number;
  /** The MAC of the entry before; empty for the first. */
  readonly previous: string;
  readonly personMac: string;
  readonly detailsMac: string;
  readonly mac: string;
}

/** The last link of a chain. */
export interface AuditHead {
  readonly number: number;
  readonly mac: string;
}

/** Entries up to and with `number` were removed, for retention or erasure. */
export interface AuditCut extends AuditHead {
  readonly at: number;
  /** The cut's own MAC: only who has the audit key can make one. */
  readonly seal: string;
}

export interface AuditFilter {
  /** Id of an entry: those before it in the order of the list. One that is gone or another organization's: nothing comes after it. */
  readonly after?: string;
  readonly limit: number;
  /** Id of a user or service account. */
  readonly actor?: string;
  /** A whole action, or what all actions of a resource begin with: `agent.created`, `agent.`. */
  readonly action?: string;
  /** Id of what was changed. */
  readonly target?: string;
  readonly outcome?: AuditDraft["outcome"];
  /** From this time on, and before that one. */
  readonly from?: number;
  readonly to?: number;
  /** Default: newest first. */
  readonly oldestFirst?: boolean;
}

/** What a verification begins with, read in one go. */
export interface AuditChain {
  readonly head: AuditHead | null;
  readonly cut: AuditCut | null;
  readonly unsealed: { readonly count: number; readonly oldestAt: number | null };
}

/** `OrgStore.audit`: one organization's audit log. */
export interface OrgAudit {
  list(filter: AuditFilter): Promise<Page<AuditRecord>>;
  /** Writes an entry of its own, for what changes no row: an export, a refused access. */
  append(entry: AuditDraft): Promise<void>;
  chain(): Promise<AuditChain>;
  /** Sealed entries after a number, in the order of numbers. */
  sealedAfter(number: number, limit: number): Promise<readonly AuditRecord[]>;
}

/** `SystemStore.audit`: what seals, cuts and erases. */
export interface SystemAudit {
  /** Organizations with entries that are not sealed. */
  unsealedOrgs(limit: number): Promise<readonly string[]>;
  /** Every organization that has an audit log. */
  orgs(): Promise<readonly string[]>;
  /** The head of a chain and the entries that come next, in the order in which they were committed. */
  nextToSeal(
    orgId: string,
    limit: number,
  ): Promise<{ readonly head: AuditHead | null; readonly entries: readonly AuditRecord[] }>;
  /** Links entries to a chain whose head is still `head`; false when it is another one, and nothing is written. */
  seal(change: {
    readonly orgId: string;
    readonly head: AuditHead | null;
    readonly entries: readonly ({ readonly id: string } & AuditSeal)[];
  }): Promise<boolean>;
  /**
   * Removes entries up to and with the cut's number, at most `limit` of them at once; returns how many went. Repeat until it is 0.
   * A cut that lies before the one that there is changes nothing.
   */
  cut(change: { readonly orgId: string; readonly cut: AuditCut; readonly limit: number }): Promise<number>;
  /**
   * Blanks name and address of an actor, and the details of what it did, of what was done to it and of what names its email.
   * Returns how many entries.
   */
  erasePerson(change: {
    readonly orgId: string;
    readonly actorId: string;
    readonly limit: number;
  }): Promise<number>;
}

/** What a chain was at some time, kept outside the store: with it, entries that are missing at the end are missed. */
export interface AuditAnchor extends AuditHead {
  readonly orgId: string;
  readonly at: number;
}

/** An append-only place for anchors. */
export interface AnchorFile {
  /** Every anchor of an organization, oldest first. */
  read(orgId: string): Promise<readonly AuditAnchor[]>;
  append(anchors: readonly AuditAnchor[]): Promise<void>;
}

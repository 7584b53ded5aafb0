import type { Page } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";
import type { Idempotency, Outcome } from "./outcome.ts";

// Copies, erasure and age of what an organization has. Times are milliseconds since 1970.

export interface ExportRecord {
  readonly orgId: string;
  readonly id: string;
  readonly scope: "org" | "user";
  /** Of scope user. */
  readonly userId: string | null;
  /** Whether sessions and their files are in it. */
  readonly conversations: boolean;
  readonly requestedBy: string;
  readonly status: "queued" | "running" | "done" | "failed" | "expired";
  /** How often it was begun: a crash begins it anew. */
  readonly attempts: number;
  /** Rows of each part so far. */
  readonly parts: Readonly<Record<string, number>>;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly error: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  readonly expiresAt: number | null;
}

export interface ErasureRecord {
  readonly orgId: string;
  readonly id: string;
  readonly scope: "org" | "user";
  /** Id of the organization, user or service account. */
  readonly target: string;
  readonly requestedBy: string;
  /** Organization whose audit log is told of its end. */
  readonly toldTo: string;
  readonly status: "running" | "done";
  /** Rows that went by table; also `blobs`, `bytes`, `workspaces`. */
  readonly counts: Readonly<Record<string, number>>;
  readonly error: string | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** SHA-256 of the canonical JSON of the receipt's id, orgId, scope, target, requestedBy, counts, createdAt and finishedAt, times as text. */
  readonly hash: string | null;
}

/** A row of any table as it is given to people: no secrets, no hashes. */
export type ExportRow = Readonly<Record<string, string | number | null>>;

/** `OrgStore.data`. */
export interface OrgData {
  /** Rejects with `too_many_exports` when `most` are under way. */
  createExport(change: {
    readonly record: Pick<ExportRecord, "id" | "scope" | "userId" | "conversations" | "requestedBy">;
    readonly most: number;
    readonly audit: AuditDraft;
    readonly idempotency?: Idempotency;
  }): Promise<Outcome<ExportRecord>>;
  findExport(id: string): Promise<ExportRecord | null>;
  /** Newest first; only those that somebody asked for, when told. */
  listExports(filter: {
    readonly limit: number;
    readonly after?: string;
    readonly requestedBy?: string;
  }): Promise<Page<ExportRecord>>;
  /** False when there is none. */
  deleteExport(change: { readonly id: string; readonly audit: AuditDraft }): Promise<boolean>;
  /** What an export takes: the tables, in a fixed order. */
  exportParts(what: Pick<ExportRecord, "scope" | "conversations">): readonly string[];
  /** Rows of one part, in the order of their keys. Of a user: those that belong to it. */
  exportRows(range: {
    readonly part: string;
    readonly userId: string | null;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<{ readonly rows: readonly ExportRow[]; readonly next: string | null }>;
  /** The blobs that sessions (of one owner, when told) refer to, in the order of hashes. */
  listBlobs(range: {
    readonly owner: string | null;
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly { readonly hash: string; readonly size: number }[]>;

  /**
   * Begins an erasure: who is to be erased is locked out in the same commit. Rejects with `erasure_running`, `last_owner`, or
   * `home_org` for the organization that the server itself belongs to.
   */
  createErasure(change: {
    readonly record: Pick<ErasureRecord, "id" | "scope" | "target" | "requestedBy" | "toldTo">;
    readonly audit: AuditDraft;
    readonly idempotency?: Idempotency;
  }): Promise<Outcome<ErasureRecord>>;
  findErasure(id: string): Promise<ErasureRecord | null>;
  listErasures(filter: { readonly limit: number; readonly after?: string }): Promise<Page<ErasureRecord>>;

  /** Ids of sessions that were last changed before a time and are not at work, oldest first, from a cursor on. At most `scan` rows are looked at. */
  staleSessions(scan: {
    readonly before: number;
    readonly after: string | null;
    readonly scan: number;
  }): Promise<{ readonly ids: readonly string[]; readonly next: string | null }>;
  /** Deletes rows of the usage ledger that are older. Returns how many; repeat until it is 0. */
  forgetUsage(slice: { readonly before: number; readonly limit: number }): Promise<number>;
}

/** `SystemStore.data`: what works on exports and erasures. */
export interface SystemData {
  /** The oldest export that waits, or that was being made when its process died; it is `running` from now on. */
  takeExport(): Promise<ExportRecord | null>;
  noteExport(note: {
    readonly orgId: string;
    readonly id: string;
    readonly parts: Readonly<Record<string, number>>;
  }): Promise<void>;
  /** Done, with what came of it, or failed. False when it was deleted meanwhile. */
  endExport(end: {
    readonly orgId: string;
    readonly id: string;
    readonly outcome:
      | {
          readonly status: "done";
          readonly parts: ExportRecord["parts"];
          readonly bytes: number;
          readonly sha256: string;
          readonly expiresAt: number;
        }
      | { readonly status: "failed"; readonly error: string };
  }): Promise<boolean>;
  /** Exports whose time is over: they are `expired` from now on, and their files go. */
  expireExports(limit: number): Promise<readonly { readonly orgId: string; readonly id: string }[]>;

  /** Erasures that are under way, oldest first. */
  openErasures(limit: number): Promise<readonly ErasureRecord[]>;
  findErasure(id: string): Promise<ErasureRecord | null>;
  listErasures(filter: { readonly limit: number; readonly after?: string }): Promise<Page<ErasureRecord>>;
  /** Sessions that an erasure takes and that are still there. */
  sessionsToErase(erasure: ErasureRecord, limit: number): Promise<readonly string[]>;
  /**
   * Deletes a session with its log. A fork that another keeps gets the prefix that it shares as its own first. The blobs that it named
   * are put down to go.
   */
  eraseSession(which: { readonly erasure: ErasureRecord; readonly sessionId: string }): Promise<void>;
  /** Deletes what an erasure takes of every other table, in slices. Returns how many rows went; repeat until it is 0. */
  eraseRows(slice: { readonly erasure: ErasureRecord; readonly limit: number }): Promise<number>;
  /** Exports that hold a copy of what is erased. */
  exportsToErase(erasure: ErasureRecord, limit: number): Promise<readonly string[]>;
  dropExport(which: { readonly orgId: string; readonly id: string }): Promise<void>;
  /** Blobs whose files are to go now, because nothing refers to them any more. Their rows are gone. */
  blobsToErase(slice: {
    readonly erasure: ErasureRecord;
    readonly limit: number;
  }): Promise<readonly string[]>;
  /** Their files are gone. */
  forgetErasedBlobs(which: { readonly orgId: string; readonly hashes: readonly string[] }): Promise<void>;
  /** Adds to an erasure's counts. */
  noteErasure(note: {
    readonly orgId: string;
    readonly id: string;
    readonly counts?: Readonly<Record<string, number>>;
    readonly error?: string | null;
  }): Promise<void>;
  /** Writes the receipt. Its audit entry goes to `toldTo`. */
  endErasure(end: { readonly erasure: ErasureRecord; readonly audit: AuditDraft }): Promise<ErasureRecord>;
  /** Brings everything from the write-ahead log into the database and cuts the log, so that nothing old lies there. False: not now. */
  truncateLog(): Promise<boolean>;
  /** Organizations whose settings name a retention. */
  retentions(): Promise<
    readonly { readonly orgId: string; readonly settings: Readonly<Record<string, unknown>> }[]
  >;
}

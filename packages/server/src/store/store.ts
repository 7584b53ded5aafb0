import type { AgentDefinition, Page, RunStatus, SessionStatus, Visibility } from "@berth/contract";
import type { OrgAccess, SystemAccess } from "./access.ts";
import type { AuditDraft, OrgAudit, SystemAudit } from "./audit.ts";
import type { OrgData, SystemData } from "./data.ts";
import type { OrgLimits, SystemLimits } from "./limits.ts";
import type {
  AgentRecord,
  ApprovalRecord,
  InputRecord,
  NewInput,
  Projection,
  RunRecord,
  SessionRecord,
  StoredEvent,
} from "./records.ts";
import type { AppendLane } from "./append.ts";
import type { OrgBudgets } from "./budgets.ts";
import type { OrgIdentity, SystemIdentity } from "./identity.ts";
import type { OrgModelProviders } from "./model-providers.ts";
import type { Idempotency, Outcome, Refusal } from "./outcome.ts";
import type { OrgSandboxes, SystemSandboxes } from "./sandboxes.ts";
import type { OrgUsage } from "./usage.ts";
import type { OrgUserConfig } from "./user-config.ts";
import type { OrgVault, SystemVault } from "./vault.ts";

export type { AppendLane, AppendOutcome, SessionCommit } from "./append.ts";
export type { Idempotency, Outcome, Refusal } from "./outcome.ts";

/**
 * There is no "the database": storage is opened for one org, for one session, as the append lane or as the closed list of system scans.
 * Every method rejects with BerthError: `store_unavailable` and `disk_full` are retryable, the rest says what is wrong.
 */
export interface Store {
  readonly kind: string;
  org(orgId: string): OrgStore;
  session(orgId: string, sessionId: string): SessionStore;
  readonly lane: AppendLane;
  readonly system: SystemStore;
  /** Flushes what is under way and closes. Idempotent. */
  close(): Promise<void>;
}

export interface NewSession {
  /** The row as it stands after `events`; `lastSeq` and `epoch` are set by the store. */
  readonly row: Omit<
    SessionRecord,
    "lastSeq" | "epoch" | "holder" | "generation" | "rewinds" | "createdAt" | "updatedAt" | "visibility"
  > & {
    /** Default: private. */
    readonly visibility?: Visibility;
  };
  /** Its first events (epoch 0): from 1, or after the fork's prefix. */
  readonly events: readonly StoredEvent[];
  readonly projection?: Projection;
  readonly blobs?: readonly string[];
  readonly inputs?: readonly NewInput[];
  /** As for `SessionStore.accept`, when the session exists already. */
  readonly refusal?: Refusal;
  /** Shares the parent's log up to and with `seq` by reference, or copies it (`copy`, for another owner). Rewinds at or before seq come along. */
  readonly fork?: { readonly sessionId: string; readonly seq: number; readonly copy: boolean };
  readonly idempotency?: Idempotency;
  readonly audit?: AuditDraft;
}

export interface AcceptedRecord {
  readonly id: string;
  /** Inputs of this mailbox that were accepted before and still wait. */
  readonly position: number;
  readonly runId: string | null;
}

export interface CreatedSession {
  readonly created: boolean;
  readonly session: SessionRecord;
  readonly inputs: readonly AcceptedRecord[];
}

export interface SessionFilter {
  readonly limit: number;
  readonly after?: string;
  readonly owner?: string;
  /** Only what this principal owns and what is shared with the organization. */
  readonly visibleTo?: string;
  readonly agentId?: string;
  readonly key?: string;
  readonly status?: SessionStatus;
  /** True: only archived ones; false: none of them. Default: they are left out unless a status is asked for. */
  readonly archived?: boolean;
  /** Case-insensitive part of title or key. */
  readonly search?: string;
  /** Every pair must be equal. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface OrgStore {
  readonly identity: OrgIdentity;
  readonly vault: OrgVault;
  readonly modelProviders: OrgModelProviders;
  readonly userConfig: OrgUserConfig;
  readonly access: OrgAccess;
  readonly audit: OrgAudit;
  readonly limits: OrgLimits;
  readonly data: OrgData;
  readonly budgets: OrgBudgets;
  readonly usage: OrgUsage;
  readonly sandboxes: OrgSandboxes;
  /** With a key that this owner has: that session with `created` false (its inputs are accepted), else a new one. Two at once: one session. */
  createSession(session: NewSession): Promise<Outcome<CreatedSession>>;
  findSession(id: string): Promise<SessionRecord | null>;
  findSessionByKey(owner: string, key: string): Promise<SessionRecord | null>;
  /** Newest first, in the stable order of ids. */
  listSessions(filter: SessionFilter): Promise<Page<SessionRecord>>;
  countSessions(): Promise<Readonly<Record<SessionStatus, number>>>;
  /** Drops the session, its mailbox, timers, approvals, runs and its reference to its log; a segment stays while a fork needs it. False when there is none. Whoever holds it is fenced. */
  deleteSession(id: string, audit?: AuditDraft): Promise<boolean>;

  findRun(id: string): Promise<RunRecord | null>;
  listRuns(filter: {
    limit: number;
    after?: string;
    sessionId?: string;
    status?: RunStatus;
    visibleTo?: string;
  }): Promise<Page<RunRecord>>;
  findApproval(id: string): Promise<ApprovalRecord | null>;
  listApprovals(filter: {
    limit: number;
    after?: string;
    sessionId?: string;
    status?: ApprovalRecord["status"];
    visibleTo?: string;
  }): Promise<Page<ApprovalRecord>>;

  /** Rejects with `agent_name_taken`. */
  createAgent(agent: {
    id: string;
    definition: AgentDefinition;
    idempotency?: Idempotency;
    audit?: AuditDraft;
  }): Promise<Outcome<AgentRecord>>;
  /** The next version. Rejects with `agent_not_found`, `version_mismatch` when `ifVersion` is not the newest, `agent_name_taken`. */
  putAgent(change: {
    id: string;
    definition: AgentDefinition;
    ifVersion?: number;
    idempotency?: Idempotency;
    audit?: AuditDraft;
  }): Promise<Outcome<AgentRecord>>;
  archiveAgent(id: string, archived: boolean, audit?: AuditDraft): Promise<AgentRecord | null>;
  /**
   * By id or by name; the newest version unless one is given. Archived ones are found too. Of a version that is named,
   * both times are when it was written; of the newest, the agent's own.
   */
  findAgent(idOrName: string, version?: number): Promise<AgentRecord | null>;
  /** Newest first; archived ones only when asked for, and then only those. */
  listAgents(filter: { limit: number; after?: string; archived?: boolean }): Promise<Page<AgentRecord>>;
  /** Newest first; both times of a record are when that version was written. */
  listAgentVersions(id: string, filter: { limit: number; after?: string }): Promise<Page<AgentRecord>>;
}

export interface LoadedLog {
  readonly record: SessionRecord;
  /** Newest usable snapshot: of the wanted state version, not undone by a rewind. */
  readonly snapshot: { readonly seq: number; readonly body: string } | null;
  /** Events of the effective log after the snapshot, in order; what a rewind undid is not among them. */
  readonly events: readonly StoredEvent[];
}

export interface SessionStore {
  find(): Promise<SessionRecord | null>;
  /**
   * Commits inputs to the mailbox. Rejects with `session_not_found`, `session_archived` (messages only, and not beside an
   * input that takes the session out of the archive), `session_quarantined`, `session_busy` when `rejectIfBusy` and a run goes on or waits in the queue, `mailbox_full` over `limit` waiting inputs.
   * An input whose clientId was accepted before (taken or not) is not accepted again: the first one's record comes back.
   * A queue or steer input with a runId gets a row in runs with status queued. With `refusal` only a repetition is answered (of
   * the idempotency key, or of every clientId); anything else is rejected with it and changes nothing.
   */
  accept(change: {
    inputs: readonly NewInput[];
    rejectIfBusy?: boolean;
    limit?: number;
    refusal?: Refusal;
    /** Of the session from now on, in the same commit; no input changes it. */
    visibility?: Visibility;
    idempotency?: Idempotency;
    audit?: AuditDraft;
  }): Promise<Outcome<readonly AcceptedRecord[]>>;
  /** What waits, in the order of lanes (control, steer, queue) and of acceptance within each. */
  mailbox(): Promise<readonly InputRecord[]>;
  /** The raw log after a seq; at most `limit` events and about `maxBytes` of them (at least one). Null when the session does not exist. */
  readLog(range: {
    after: number;
    limit: number;
    maxBytes?: number;
  }): Promise<{ record: SessionRecord; events: readonly StoredEvent[] } | null>;
  /** For folding, up to and with `upTo` (default: the end). Null when the session does not exist. */
  load(options: { stateVersion: number; upTo?: number }): Promise<LoadedLog | null>;
  /** Kept only if this epoch still holds the session; older snapshots than the newest two are dropped. */
  putSnapshot(snapshot: { seq: number; stateVersion: number; body: string; epoch: number }): Promise<void>;
}

export type ClaimOutcome =
  | {
      readonly ok: true;
      readonly epoch: number;
      /** This one too, since the last event, release or orderly end of its worker. */
      readonly claimsWithoutEvent: number;
      readonly record: SessionRecord;
    }
  | { readonly ok: false; readonly reason: "held"; readonly holder: string }
  | { readonly ok: false; readonly reason: "not_found" | "quarantined" | "suspended" | "newer_schema" };

/** The closed list of what may look across orgs. Times are the store's own. */
export interface SystemStore {
  readonly identity: SystemIdentity;
  readonly vault: SystemVault;
  readonly access: SystemAccess;
  readonly audit: SystemAudit;
  readonly limits: SystemLimits;
  readonly data: SystemData;
  readonly sandboxes: SystemSandboxes;
  /** The one org and owner of mode single; made at first call. */
  singleTenant(): Promise<{ orgId: string; orgName: string; userId: string; userName: string }>;
  /** Writes the worker's liveness row, by a clock of the store that does not jump with the wall clock. */
  heartbeat(workerId: string): Promise<void>;
  /** Its row goes; whatever it still holds is free at once. */
  removeWorker(workerId: string): Promise<void>;
  /** Takes a session that is free, held by `workerId` itself, or by a worker whose heartbeat is older than the lease or gone. The epoch rises, also when it was its own. Counts claims without a new event. */
  claim(claim: {
    orgId: string;
    sessionId: string;
    workerId: string;
    leaseMs: number;
    knownEventVersion: number;
  }): Promise<ClaimOutcome>;
  /** Gives a session back; false while its mailbox has rows, unless `withInputs`, or when the epoch is old. */
  release(held: { orgId: string; sessionId: string; epoch: number; withInputs?: boolean }): Promise<boolean>;
  /** Readable, not claimable; only if the epoch still holds it. */
  quarantine(held: { orgId: string; sessionId: string; epoch: number }): Promise<void>;
  /** Makes a quarantined session claimable again; its count of claims starts anew. False when it was not quarantined. */
  liftQuarantine(session: { orgId: string; sessionId: string; audit?: AuditDraft }): Promise<boolean>;
  /** Mailboxes of all sessions that a worker holds, in one query. */
  heldMailboxes(workerId: string): Promise<readonly InputRecord[]>;
  /** Sessions with inputs or with a run that goes on, whom no live worker holds. Waiting sessions without inputs are not among them. */
  orphans(scan: {
    leaseMs: number;
    limit: number;
  }): Promise<readonly { orgId: string; sessionId: string; owner: string }[]>;
  /** Turns due timers into control inputs, in one transaction; says which sessions to wake. `inputId` mints ids. */
  fireTimers(scan: {
    limit: number;
    inputId: () => string;
  }): Promise<readonly { orgId: string; sessionId: string }[]>;
  /** Deletes idempotency rows older than `idempotencyMs`, and forgotten clientIds with them. */
  prune(ages: { idempotencyMs: number }): Promise<void>;
  /** Hashes of blobs that nothing refers to and that are older than `ageMs`; their rows go. The caller deletes the files. */
  collectBlobs(scan: { ageMs: number; limit: number }): Promise<readonly { orgId: string; hash: string }[]>;
  /** Notes a blob before an event names it, or renews its age. */
  noteBlob(blob: { orgId: string; hash: string; size: number }): Promise<void>;
  /** Whether a blob is noted: one that was put again after its collection must not lose its file. */
  hasBlob(blob: { orgId: string; hash: string }): Promise<boolean>;
  /** Cheap check that the store answers. Writes nothing, and rejects with why when the last that was to be written could not be. */
  ping(): Promise<void>;
}

import type { Page, SandboxAllocationStrategy } from "@berth/contract";
import type { AuditDraft } from "./audit.ts";
import type { WorkspaceMoves } from "./workspace-moves.ts";

// Sandboxes, whose they are, and the files that outlive them. Times are milliseconds since 1970, by the store's clock.

/**
 * requested (written, its place not chosen) → creating (its host is asked) → warm (ready, nobody's) → claimed (somebody's, being made
 * ready) → active → destroying → destroyed. One made for somebody goes from creating to active. Any: lost, failed.
 */
export type SandboxState =
  | "requested"
  | "creating"
  | "warm"
  | "claimed"
  | "active"
  | "destroying"
  | "destroyed"
  | "lost"
  | "failed";

/** One life of a sandbox. */
export interface SandboxKey {
  readonly id: string;
  readonly incarnation: string;
}

export interface SandboxRecord extends SandboxKey {
  readonly deployment: string;
  readonly provider: string;
  /** Null: not chosen yet. */
  readonly host: string | null;
  readonly template: string;
  readonly state: SandboxState;
  /** The server that looks after it. */
  readonly ownerInstance: string;
  /** Null while it is warm, and again when it has ended. */
  readonly orgId: string | null;
  readonly userId: string | null;
  /** Of one that is shared by a user's sessions: the one that it was made for. */
  readonly sessionId: string | null;
  readonly strategy: SandboxAllocationStrategy | null;
  readonly workspaceId: string | null;
  /** As the sandbox port's `SandboxPolicy`, without the values of secrets. */
  readonly policy: unknown;
  readonly url: string | null;
  readonly createdAt: number;
  /** When its state last changed. */
  readonly changedAt: number;
  readonly claimedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly expiresAt: number;
  readonly idleTtlMs: number;
  readonly destroyReason: string | null;
  /** Attempts to end it that failed. */
  readonly attempts: number;
}

/** A sandbox that has not ended. */
export interface LiveSandbox extends SandboxRecord {
  /** The session that it serves alone was deleted. */
  readonly sessionGone: boolean;
}

export interface AllocationRecord {
  readonly orgId: string;
  readonly id: string;
  readonly sandboxId: string;
  readonly sandboxUrl: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly strategy: SandboxAllocationStrategy;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly isActive: boolean;
  readonly endedAt: number | null;
  readonly endReason: string | null;
}

export interface WorkspaceRecord {
  readonly orgId: string;
  readonly sessionId: string;
  readonly workspaceId: string;
  /** Within the workspace; null: all of it. */
  readonly folder: string | null;
  readonly host: string;
  readonly strategy: SandboxAllocationStrategy;
  readonly userId: string;
  readonly sizeBytes: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** It was given up with its host and is empty: the session's files are those of its last manifest until it has them again. */
  readonly awaitsFiles: boolean;
  /** Its files are being copied to another host. */
  readonly isCopied: boolean;
}

/** Whose a sandbox is to be. */
export interface SandboxOwner {
  readonly orgId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly strategy: SandboxAllocationStrategy;
}

/** What a row of a new sandbox begins with. */
export interface NewSandbox extends SandboxKey {
  readonly deployment: string;
  readonly provider: string;
  readonly template: string;
  readonly ownerInstance: string;
  readonly policy: unknown;
  readonly maxLifeMs: number;
  readonly idleTtlMs: number;
}

export interface Reserve extends NewSandbox {
  readonly owner: SandboxOwner;
  readonly workspaceId: string;
  /** Where its files are: a warm one must be there. */
  readonly host: string;
  /** Whether a warm one will do. */
  readonly warm: boolean;
  readonly perUser: number;
  readonly perOrg: number;
  /** Ends this one of the same owner in the same commit, so that nobody comes between. Passed over when it is no longer as it was. */
  readonly instead?: SandboxKey & { readonly reason: string };
}

export type Reserved =
  /** Written by this call: `warm`, claimed from those that were ready; `new`, requested. `ended`: what `instead` named. */
  | { readonly kind: "warm" | "new"; readonly record: SandboxRecord; readonly ended: boolean }
  /** There is one for this session or user already, perhaps not ready. */
  | { readonly kind: "there"; readonly record: SandboxRecord; readonly ended: boolean }
  | { readonly kind: "quota"; readonly of: "user" | "org"; readonly limit: number; readonly ended: boolean };

export interface SandboxMove extends SandboxKey {
  readonly from: readonly SandboxState[];
  readonly to: SandboxState;
  readonly host?: string;
  readonly url?: string;
  /** Why it ends; also of the allocations that end with it. */
  readonly reason?: string;
  /** Only while it is this server's. */
  readonly ownedBy?: string;
  readonly newOwner?: string;
  /** Not when another server used it within so many milliseconds. */
  readonly unlessGuestWithinMs?: number;
  /** An attempt to end it failed; the next one is after so many milliseconds. */
  readonly retryInMs?: number;
  /** With whose audit log the change is told to. */
  readonly orgId?: string;
  readonly audit?: AuditDraft;
}

export interface SandboxUse extends SandboxKey {
  readonly sessionIds: readonly string[];
  /** How long ago. */
  readonly agoMs: number;
  /** By a server that does not own it. */
  readonly guest: boolean;
}

/** `SystemStore.sandboxes`: what allocation changes. */
export interface SystemSandboxes extends WorkspaceMoves {
  /** Says that a server lives. */
  beat(instance: string): Promise<void>;
  removeInstance(instance: string): Promise<void>;
  instances(): Promise<readonly { readonly id: string; readonly beats: number }[]>;
  /** Which deployment this store is: the same through backup and restore. */
  deployment(): Promise<string>;

  /** A sandbox for somebody within the quotas, in one commit. Rejects with `session_not_found`; with `sandbox_gone` when the session's workspace is another one by now. */
  reserve(reserve: Reserve): Promise<Reserved>;
  /** One for nobody yet; null when there are `most` of this template that are warm or will be. */
  reserveWarm(
    sandbox: NewSandbox & { readonly host: string; readonly most: number },
  ): Promise<SandboxRecord | null>;
  /** One conditional change; null when it is no longer as it was. What ends its sandbox ends the allocations too. */
  move(move: SandboxMove): Promise<SandboxRecord | null>;
  /** From claimed or creating to active, its life counted from now, with an allocation of its session. Null when it is no longer as it was. */
  activate(
    change: SandboxKey & {
      readonly owner: SandboxOwner;
      readonly orgId: string;
      readonly url: string;
      readonly policy: unknown;
      readonly allocationId: string;
      readonly maxLifeMs: number;
      readonly audit: AuditDraft;
    },
  ): Promise<SandboxRecord | null>;
  /** One more session in an active sandbox of the same user. False when it is not active any more, or the session has it already. */
  join(
    change: SandboxKey & {
      readonly owner: SandboxOwner;
      readonly orgId: string;
      readonly allocationId: string;
      readonly audit: AuditDraft;
    },
  ): Promise<boolean>;
  /** Ends the allocation of a session. */
  leave(change: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly reason: string;
    readonly audit: AuditDraft;
  }): Promise<boolean>;
  /** Notes what an active sandbox is held to from now on. */
  notePolicy(change: SandboxKey & { readonly policy: unknown }): Promise<boolean>;
  /** Notes uses, several at once. Returns the ids that are not active any more. */
  touch(uses: readonly SandboxUse[]): Promise<readonly string[]>;
  /** Every sandbox that has not ended, oldest first. */
  live(): Promise<readonly LiveSandbox[]>;
  find(id: string): Promise<SandboxRecord | null>;

  /**
   * The workspace of a session; a new row when it has none, in the workspace that the user's sessions share if that is its strategy.
   * Rejects with `session_not_found`.
   */
  ensureWorkspace(workspace: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly userId: string;
    readonly strategy: SandboxAllocationStrategy;
    /** What they are when the row is new. */
    readonly workspaceId: string;
    readonly host: string;
    readonly folder: string;
  }): Promise<{ readonly record: WorkspaceRecord; readonly made: boolean }>;
  /** How many sessions have their files in it. */
  sharers(workspaceId: string): Promise<number>;
  removeWorkspace(place: { readonly orgId: string; readonly sessionId: string }): Promise<boolean>;
  noteWorkspace(note: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly sizeBytes: number;
  }): Promise<void>;
  /** Of sessions that were deleted. */
  orphanedWorkspaces(limit: number): Promise<readonly WorkspaceRecord[]>;
  /** Deletes rows of ended sandboxes and allocations that ended so long ago. */
  prune(ages: { readonly sandboxesMs: number; readonly allocationsMs: number }): Promise<void>;
}

export interface SandboxCount {
  readonly ofUser: number;
  readonly ofOrg: number;
}

/** `OrgStore.sandboxes`: what an organization sees of its own. */
export interface OrgSandboxes {
  /** Those that have not ended, newest first. */
  list(filter: {
    readonly limit: number;
    readonly after?: string;
    readonly userId?: string;
    /** That uses it now. */
    readonly sessionId?: string;
    readonly states?: readonly SandboxState[];
  }): Promise<Page<SandboxRecord>>;
  /** The sessions that use it, the one that used it last first. */
  sessionsIn(
    sandboxId: string,
  ): Promise<readonly { readonly sessionId: string; readonly folder: string | null }[]>;
  /** Null also when it has ended. */
  find(id: string): Promise<SandboxRecord | null>;
  /** How many count against the quotas of a user and of the organization. */
  count(userId: string): Promise<SandboxCount>;
  /** Newest first, with those that have ended. */
  listAllocations(filter: {
    readonly limit: number;
    readonly after?: string;
    readonly userId?: string;
    readonly sessionId?: string;
    readonly sandboxId?: string;
    readonly active?: boolean;
  }): Promise<Page<AllocationRecord>>;
  findAllocation(id: string): Promise<AllocationRecord | null>;
  /** The newest of a session, ended or not. */
  lastAllocation(sessionId: string): Promise<AllocationRecord | null>;
  workspace(sessionId: string): Promise<WorkspaceRecord | null>;
}

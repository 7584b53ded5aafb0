import type { Page, SandboxAllocationStrategy, SandboxQuota } from "@berth/contract";
import type {
  Capabilities,
  Sandbox,
  SandboxHostInfo,
  SandboxPolicy,
  SandboxRef,
} from "../sandbox/sandbox.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { SandboxWish } from "./session-sandboxes.ts";

/** `creating` until it can be used, `destroying` once it is on its way out. One that is gone is no longer listed: its allocations are. */
export type SandboxState = "creating" | "active" | "destroying";

/** A sandbox that somebody in an organization has now. Times are milliseconds since 1970. */
export interface HeldSandbox extends SandboxRef {
  readonly incarnation: string;
  readonly url: string;
  readonly state: SandboxState;
  readonly strategy: SandboxAllocationStrategy;
  /** User or service account whose quota it counts against: the owner of its sessions. */
  readonly userId: string;
  /** Sessions that use it, the one that used it last first. With `User-Exclusive` there may be several, each in a folder of its own. */
  readonly sessions: readonly HeldBy[];
  readonly template: string;
  /** Without the values of secrets. */
  readonly policy: SandboxPolicy;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  /** When it ends at the latest. */
  readonly expiresAt: number;
}

export interface HeldBy {
  readonly sessionId: string;
  /** Where its files are in the sandbox's workspace; null: the whole of it. */
  readonly folder: string | null;
}

export interface HeldSandboxFilter {
  /** Id of a sandbox: those before it in the order of the list, which is newest first. */
  readonly after?: string;
  readonly limit: number;
  readonly state?: SandboxState;
  readonly userId?: string;
  readonly sessionId?: string;
}

/** That a session had a sandbox. Times are milliseconds since 1970. */
export interface AllocationRecord {
  /** `alc_` and 26 characters. */
  readonly id: string;
  readonly sandboxId: string;
  readonly sandboxUrl: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly allocationStrategy: SandboxAllocationStrategy;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly isActive: boolean;
  readonly endedAt: number | null;
  /** Few words: `idle`, `released`, `recycled`, `lost`, `session_deleted`, …; null while it is active. */
  readonly endReason: string | null;
}

export interface AllocationFilter {
  /** Id of an allocation: those before it in the order of the list, which is newest first. */
  readonly after?: string;
  readonly limit: number;
  readonly sandboxId?: string;
  readonly userId?: string;
  readonly sessionId?: string;
  readonly isActive?: boolean;
}

/** What of an organization is to be ended, and why. */
export interface SandboxEnding {
  readonly sandboxId: string;
  /** Becomes the `endReason` of its allocations. */
  readonly reason: string;
  /** Commits with the change of its state. */
  readonly audit?: AuditDraft;
}

/** Of the whole deployment, for operators. */
export interface SandboxCensus {
  readonly capabilities: Capabilities;
  readonly hosts: readonly SandboxHostInfo[];
  /** Made and not given out. */
  readonly warm: number;
  /** By state, those that are given out. */
  readonly live: Readonly<Record<SandboxState, number>>;
}

/** The sandboxes that there are and were, for people who look at them. Which of them somebody may see is the asker's to decide. */
export interface SandboxDirectory {
  list(orgId: string, filter: HeldSandboxFilter): Promise<Page<HeldSandbox>>;
  /** What a user and the organization have and may have at once; null where nothing is counted. */
  quota(orgId: string, userId: string): Promise<Omit<SandboxQuota, "userId"> | null>;
  /** Null for an unknown id, another organization's, a warm one, and one that is gone. */
  find(orgId: string, sandboxId: string): Promise<HeldSandbox | null>;
  allocations(orgId: string, filter: AllocationFilter): Promise<Page<AllocationRecord>>;
  findAllocation(orgId: string, allocationId: string): Promise<AllocationRecord | null>;
  /**
   * One that is active. What is run in it counts as use, and while a command runs it is not idle. Commands begin in the workspace
   * itself; a wish says what the sandbox reaches from now on, and the caller gives its environment to what is run. Rejects with `sandbox_not_found`, `sandbox_lost`, `sandbox_unavailable`.
   */
  connect(orgId: string, sandboxId: string, wish?: SandboxWish): Promise<Sandbox>;
  /** Ends its processes and takes it back from all its sessions; their files stay. Rejects with `sandbox_not_found`. */
  destroy(orgId: string, ending: SandboxEnding): Promise<void>;
  census(): Promise<SandboxCensus>;
}

import type { SandboxLimits, Workspaces } from "../sandbox.ts";

/** What a workspace may take. */
export type WorkspaceLimits = Pick<SandboxLimits, "diskBytes" | "inodes">;

/** How the size of workspaces is kept: `image`: exactly, by a file system of their own; `watched`: measured from time to time. */
export type QuotaKind = "none" | "watched" | "image";

/** The workspaces of this machine. */
export interface HostWorkspaces extends Workspaces {
  readonly quota: QuotaKind;
  /** Why it is not `image`; null when it is, or when no quota was asked for. */
  readonly reason: string | null;
  /**
   * The host's user whose the files were when a sandbox last had them: if that one is free, they need not change hands. Null: none
   * had them, or the server's own user. Rejects with `workspace_not_found`.
   */
  ownerOf(id: string): Promise<number | null>;
  /**
   * Makes the files reachable for a sandbox until it is released, and gives them to its user. Several may hold it at once if they have the
   * same user. Rejects with `workspace_not_found`.
   */
  hold(id: string, options: HoldOptions): Promise<HeldWorkspace>;
  /** Unmounts what a dead server of this data folder left mounted, and deletes what it left half-written. Returns how many things. */
  sweep(): Promise<number>;
  /** Unmounts everything that no sandbox holds. Idempotent. */
  close(): Promise<void>;
}

export interface HoldOptions {
  /** The host's user (and group of the same number) that the sandbox runs as; null: the server's own. */
  readonly uid: number | null;
  /** Kept to when it is less than before too, where the quota is `watched`; an image only grows, when nobody holds it. */
  readonly limits?: WorkspaceLimits;
  /**
   * Called before each look at what it holds. What comes back is called when that look found it over its limits, or it cannot be measured
   * again and again: it ends what ran when the look began, with `disk_full`. What began later may have found it emptied. Only where the
   * quota is `watched`.
   */
  readonly onLook?: () => () => void;
  /** Bytes of its files that have no name any more and that its processes hold open: no walk through the folder finds them. */
  readonly namelessBytes?: () => Promise<number>;
}

export interface HeldWorkspace {
  /** The folder to show in the sandbox. */
  readonly path: string;
  /** What it takes now: exactly of an image, by the last measurement otherwise. */
  usage(): Promise<{ bytes: number; files: number }>;
  /** Holds it to other limits; what comes back is what is in force. */
  limit(limits: WorkspaceLimits): Promise<WorkspaceLimits>;
  /** Idempotent. */
  release(): Promise<void>;
}

/** Where the files of a workspace are while they are used. */
export interface WorkspacePlace {
  readonly root: string;
  /** Folders of the same file system that only this program uses. */
  readonly staging: string;
  readonly trash: string;
}

/** What workspaces are kept in. */
export interface WorkspaceDisk {
  has(id: string): boolean;
  /** Idempotent; one that is there gets more room if it can. Not while it is open. */
  create(id: string, limits: WorkspaceLimits): Promise<void>;
  /** Whether `create` would give it more room. */
  lacks(id: string, limits: WorkspaceLimits): Promise<boolean>;
  open(id: string): Promise<WorkspacePlace>;
  /** Exactly what it takes; null: it must be measured. Only while it is open. */
  usage(id: string): Promise<{ bytes: number; files: number } | null>;
  close(id: string): Promise<void>;
  /** Not while it is open. */
  remove(id: string): Promise<void>;
  list(): Promise<string[]>;
}

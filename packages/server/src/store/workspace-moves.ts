/** Where a workspace is. */
export interface WorkspacePlace {
  readonly workspaceId: string;
  readonly host: string;
}

/** A workspace that is no session's (any more, or not yet). */
export interface LeftoverWorkspace extends WorkspacePlace {
  /** Its files are on their way into this one. */
  readonly copyOf: string | null;
}

/** A workspace of sessions, with its files. */
export interface HostedWorkspace extends WorkspacePlace {
  /** One of the sessions that have it. */
  readonly orgId: string;
  readonly sessionId: string;
  /** A sandbox has it, or is being ended that had it. */
  readonly inUse: boolean;
}

/** How workspaces follow their sessions to other hosts. */
export interface WorkspaceMoves {
  /**
   * The workspaces on a host that sessions have files in, each once, in the order of their ids, after the one named. What awaits its files,
   * and what only deleted sessions had, is not among them.
   */
  workspacesOn(page: {
    readonly host: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly HostedWorkspace[]>;
  /** Writes down, before it is made, that the files of `from` will be copied into `to`; of several such the last counts. False when no session has `from`. */
  beginWorkspaceCopy(copy: {
    readonly from: WorkspacePlace;
    readonly to: WorkspacePlace;
    readonly deployment: string;
  }): Promise<boolean>;
  /** The copies of a workspace will not become anybody's: somebody wrote to it meanwhile. */
  cancelWorkspaceCopies(of: string): Promise<void>;
  /**
   * Gives all sessions of a workspace another one instead, in one commit: its copy, or, with `copied` false, an empty one that awaits
   * their files. False when a sandbox has it, no session does any more, or the copy does not count.
   */
  moveWorkspace(move: {
    readonly from: WorkspacePlace;
    readonly to: WorkspacePlace;
    readonly deployment: string;
    readonly copied: boolean;
  }): Promise<boolean>;
  /** The session's files are in its workspace again. False when it has another one by now. */
  noteWorkspaceFilled(place: {
    readonly orgId: string;
    readonly sessionId: string;
    readonly workspaceId: string;
  }): Promise<boolean>;
  /** On this host, of this deployment. */
  leftoverWorkspaces(host: string, deployment: string): Promise<readonly LeftoverWorkspace[]>;
  /** No copy becomes anybody's after this: it may be removed. False when a session has it by now. */
  claimLeftover(workspaceId: string): Promise<boolean>;
  /** It was removed from its host. */
  forgetLeftover(workspaceId: string): Promise<void>;
}

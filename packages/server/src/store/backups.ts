/** A backup that there is, or that is being made. Times are milliseconds since 1970. */
export interface BackupRecord {
  /** Its file's name. */
  readonly name: string;
  readonly path: string;
  readonly status: "running" | "done" | "failed";
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Size of the file once it is done. */
  readonly bytes: number | null;
  /** Bytes of content so far, and in all, while it runs. */
  readonly progress: { readonly done: number; readonly total: number } | null;
  /** Blobs that it could not take, because they were damaged or missing before; null when that is not known any more. */
  readonly missingBlobs: number | null;
  readonly error: string | null;
}

/** An erasure that came to its end: whoever restores an older backup has to do it again. */
export interface NotedErasure {
  readonly orgId: string;
  readonly id: string;
  readonly scope: "org" | "user";
  readonly target: string;
  readonly requestedBy: string;
  readonly toldTo: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly endedAt: number;
}

/** Makes backups of everything this server keeps, one at a time. */
export interface Backups {
  /**
   * Resolves when it has begun. The key of the one that this process made last gives that one again. Rejects with `backup_running`.
   */
  start(key?: string): Promise<{ readonly record: BackupRecord; readonly replayed: boolean }>;
  /** Newest first: the one that runs or failed last, then the files that there are. */
  list(): Promise<readonly BackupRecord[]>;
  find(name: string): Promise<BackupRecord | null>;
  /** Resolves when none runs. */
  idle(): Promise<void>;
  /** Deletes whole backups that are more than `keep` or older than `maxAgeMs`, but never the newest one. Returns their names. */
  prune(limits: { readonly keep: number; readonly maxAgeMs: number }): Promise<readonly string[]>;
  /** Notes it beside the backups, which still hold what was erased. */
  noteErasure(erasure: NotedErasure): Promise<void>;
  /** Ends one that is under way; nothing of it stays. */
  stop(): Promise<void>;
}

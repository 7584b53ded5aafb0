import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Store } from "../store.ts";
import { appendLane } from "./append-lane.ts";
import { openForReading, openForWriting } from "./connection.ts";
import { makeDataFolder } from "./data-folder.ts";
import { lockDataDir } from "./data-lock.ts";
import { knownMigrations, migrate } from "./migrate.ts";
import { orgStores } from "./org-store.ts";
import { Reader } from "./reader.ts";
import { sessionStore } from "./session-store.ts";
import { asStoreError } from "./sqlite-error.ts";
import { systemStore } from "./system-store.ts";
import { refuseUnfinishedRestore } from "./unfinished-restore.ts";
import { type CommitStats, type OnFailing, Writer } from "./writer.ts";

export interface SqliteStoreOptions {
  /** Made when it is missing. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly telemetry?: {
    /** Told of each transaction. Must not throw. */
    readonly onCommit?: (stats: CommitStats) => void;
    readonly onFailing?: OnFailing;
  };
  /** Armed in the writer thread, as `name` or `name@n`; see lib/failpoint.ts. */
  readonly failpoint?: string | null;
}

export interface SqliteStore extends Store {
  /** Adds the server's address to what a second server on this folder is told. */
  describe(url: string): void;
}

/**
 * Opens the store of a data folder and holds the folder until `close`. Rejects with `data_dir_in_use`,
 * `data_dir_unusable`, `restore_unfinished`, `newer_schema`, `disk_full` or `store_unavailable`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { dataDir, clock } = options;
  makeDataFolder(dataDir);
  refuseUnfinishedRestore(dataDir);
  const lock = lockDataDir(dataDir, clock.now());
  try {
    const path = join(dataDir, "berth.db");
    prepare(path, clock);
    const reader = new Reader(openForReading(path));
    const writer = await startWriter(path, options).catch((thrown: unknown) => {
      reader.close();
      throw thrown;
    });
    return {
      kind: "sqlite",
      org: orgStores({ writer, reader, clock }),
      session: (orgId, sessionId) => sessionStore({ writer, reader, ref: { orgId, sessionId } }),
      lane: appendLane(writer),
      system: systemStore({ writer, reader, clock }),
      describe: (url) => lock.describe(url),
      async close() {
        // The writer goes last: only then does SQLite bring the log into the database and remove it.
        reader.close();
        await writer.close();
        lock.release();
      },
    };
  } catch (thrown) {
    lock.release();
    throw asStoreError(thrown);
  }
}

function startWriter(path: string, { clock, telemetry, failpoint }: SqliteStoreOptions): Promise<Writer> {
  const { onCommit, onFailing } = telemetry ?? {};
  return Writer.start({ path, failpoint: failpoint ?? null, clock, onCommit, onFailing });
}

/** The holder of the folder knows that every worker that ever wrote here is dead. */
function prepare(path: string, clock: Clock): void {
  const connection = openForWriting(path);
  try {
    migrate(connection, knownMigrations(), clock.now());
    connection.db.exec("DELETE FROM workers; DELETE FROM sandbox_instances");
  } finally {
    connection.close();
  }
}

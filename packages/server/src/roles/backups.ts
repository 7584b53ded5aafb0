import { join } from "node:path";
import type { ServerKeys } from "../auth/server-keys.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../lib/clock.ts";
import type { BackupRecord, Backups } from "../store/backups.ts";
import { createBackupKeeper } from "../store/backup/backup-keeper.ts";
import type { HoldableBlobs } from "../store/hold-blobs.ts";
import { copyDatabase, openSnapshot } from "../store/sqlite/snapshot.ts";
import { version } from "./version.ts";

/** What makes the backups of this data folder. */
export function openBackups(parts: {
  readonly config: Pick<Config, "data" | "backupDir">;
  readonly keys: ServerKeys;
  readonly blobs: HoldableBlobs;
  readonly clock: Clock;
  readonly onEnd?: (record: BackupRecord) => void;
}): Backups {
  const { config, keys, blobs, clock, onEnd } = parts;
  const dataDir = config.data;
  return createBackupKeeper({
    folder: config.backupDir ?? join(dataDir, "backups"),
    workFolder: join(dataDir, "backup.tmp"),
    key: keys.backupKeys[0],
    keys: keys.ids,
    version,
    clock,
    blobs,
    async copyDatabase(to) {
      await copyDatabase({ dataDir, to });
      return openSnapshot(to);
    },
    ...(onEnd !== undefined && { onEnd }),
  });
}

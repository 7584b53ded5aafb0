import { existsSync } from "node:fs";
import { join } from "node:path";
import { openServerKeys } from "../auth/server-keys.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { BackupRecord } from "../store/backups.ts";
import { createDiskBlobs } from "../store/disk/blobs.ts";
import { holdableBlobs } from "../store/hold-blobs.ts";
import { lockDataDir } from "../store/sqlite/data-lock.ts";
import { openBackups } from "./backups.ts";

export type MadeBackup = BackupRecord;

export interface OfflineBackup {
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly onProgress: (record: BackupRecord) => void;
}

/** Milliseconds between two looks at how far it is. */
const lookMs = 200;

/** Makes a backup of a data folder that no server holds. Rejects with `data_dir_in_use`, `nothing_to_back_up`, or with what went wrong. */
export async function backUpOffline({ config, signal, onProgress }: OfflineBackup): Promise<BackupRecord> {
  if (!existsSync(join(config.data, "berth.db"))) {
    throw new BerthError(
      "nothing_to_back_up",
      `There is no store in ${config.data}: name the data folder with --data.`,
    );
  }
  const lock = lockDataDir(config.data, systemClock.now());
  try {
    const required = config.mode === "multi";
    const keys = await openServerKeys({ dataDir: config.data, preset: config, required });
    const blobs = holdableBlobs(createDiskBlobs({ dataDir: config.data, note: async () => {} }));
    const backups = openBackups({ config, keys, blobs, clock: systemClock });
    const { name } = (await backups.start()).record;
    const look = setInterval(() => {
      void backups.find(name).then((record) => record !== null && onProgress(record));
    }, lookMs);
    const stop = () => void backups.stop();
    signal.addEventListener("abort", stop);
    await backups.idle().finally(() => {
      clearInterval(look);
      signal.removeEventListener("abort", stop);
    });
    const ended = await backups.find(name);
    if (ended?.status === "done") return ended;
    throw new BerthError("backup_failed", ended?.error ?? "The backup was not made.");
  } finally {
    lock.release();
  }
}

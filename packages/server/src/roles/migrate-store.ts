import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openForWriting } from "../store/sqlite/connection.ts";
import { lockDataDir } from "../store/sqlite/data-lock.ts";
import { knownMigrations, migrate } from "../store/sqlite/migrate.ts";

export interface Migrated {
  /** How many migrations ran now. */
  readonly applied: number;
  /** The newest one that the store has. */
  readonly newest: number;
}

/** Brings the store of a data folder up to date, as a start does. Throws `data_dir_in_use` or `newer_schema`. */
export function migrateStore(dataDir: string, now: number): Migrated {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDir(dataDir, now);
  try {
    const connection = openForWriting(join(dataDir, "berth.db"));
    try {
      const known = knownMigrations();
      return { applied: migrate(connection, known, now), newest: known.at(-1)?.number ?? 0 };
    } finally {
      connection.close();
    }
  } finally {
    lock.release();
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { BerthError } from "../../lib/errors.ts";
import type { Connection } from "./connection.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  /** An older program must not touch a database that has it. */
  readonly breaking: boolean;
  readonly sql: string;
}

const folder = new URL("./migrations/", import.meta.url);
const breakingMark = /^-- berth: breaking$/m;

/** The migrations that this program knows, in order: `000001_name.sql` and so on, without a gap. */
export function knownMigrations(): readonly Migration[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .toSorted();
  return files.map((file, index) => {
    const sql = readFileSync(new URL(file, folder), "utf8");
    const number = Number(file.slice(0, 6));
    if (number !== index + 1) throw new BerthError("internal", `migration ${file} is out of order`);
    return { number, name: file.slice(7, -4), breaking: breakingMark.test(sql), sql };
  });
}

/**
 * Brings the schema up to date, each migration in a transaction of its own. Throws `newer_schema` when a newer program
 * left a migration here that is marked as breaking. Returns how many ran.
 */
export function migrate(connection: Connection, known: readonly Migration[], now: number): number {
  const { db } = connection;
  db.exec(`CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, breaking INTEGER NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
  const applied = connection
    .sql<{ number: number; name: string; breaking: number }>("SELECT number, name, breaking FROM migrations")
    .all();
  const newest = known.at(-1)?.number ?? 0;
  const unknown = applied.find((row) => row.number > newest && row.breaking === 1);
  if (unknown !== undefined) {
    throw new BerthError(
      "newer_schema",
      `The data folder was written by a newer Berth (migration ${unknown.number}, ${unknown.name}): start that version, or a newer one.`,
    );
  }
  const done = new Set(applied.map((row) => row.number));
  const open = known.filter((migration) => !done.has(migration.number));
  for (const migration of open) {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(migration.sql);
      connection
        .sql("INSERT INTO migrations (number, name, breaking, applied_at) VALUES (?, ?, ?, ?)")
        .run(migration.number, migration.name, migration.breaking ? 1 : 0, now);
      db.exec("COMMIT");
    } catch (thrown) {
      // A full disk has ended the transaction already, and what says so is what is thrown.
      if (db.isTransaction) db.exec("ROLLBACK");
      throw thrown;
    }
  }
  return open.length;
}

/** The schema as text, in the order of names: what the dump test compares. */
export function dumpSchema(connection: Connection): string {
  const rows = connection
    .sql<{ sql: string }>(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name",
    )
    .all();
  return rows.map((row) => `${row.sql};\n`).join("\n");
}

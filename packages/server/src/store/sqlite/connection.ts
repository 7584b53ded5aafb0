import { DatabaseSync, type SQLInputValue } from "node:sqlite";

/** A prepared statement whose rows have the given shape: the SQL beside it is what makes that true. */
export interface Statement<Row> {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  iterate(...values: SQLInputValue[]): IterableIterator<Row>;
  run(...values: SQLInputValue[]): { changes: number | bigint };
}

/** Lists have many shapes of filter; the cache forgets everything when it holds this many. */
const maxStatements = 500;

/** One SQLite connection and its prepared statements, by their text. */
export class Connection {
  readonly db: DatabaseSync;
  readonly #statements = new Map<string, Statement<unknown>>();

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  sql<Row = unknown>(text: string): Statement<Row> {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      if (this.#statements.size >= maxStatements) this.#statements.clear();
      statement = this.db.prepare(text) as unknown as Statement<unknown>;
      this.#statements.set(text, statement);
    }
    return statement as Statement<Row>;
  }

  /** Runs reads that must see one state of the database. */
  reading<T>(work: () => T): T {
    this.sql("BEGIN").run();
    try {
      return work();
    } finally {
      this.sql("COMMIT").run();
    }
  }

  close(): void {
    this.#statements.clear();
    this.db.close();
  }
}

/**
 * `synchronous` is a setting of the connection, and a WAL database that is reopened begins with NORMAL: FULL is set here,
 * on each open. A checkpoint costs two more fsyncs: every 16 MiB (4,000 pages) they are a fiftieth of all, by default a
 * thirteenth with 64 sessions. The log is cut back to 64 MiB after a burst.
 *
 * Deleted rows are written over with zeros, so that what is erased is gone: with 1 KB events the cost of an append stayed within the
 * noise of 10 %, and after deleting a session and a checkpoint none of its text was left in the file (96 of 128 places without).
 *
 * What a statement needs for itself while it runs stays in memory: as a file it would outlive a server that is killed.
 */
export function openForWriting(path: string): Connection {
  const db = new DatabaseSync(path, { timeout: 5_000 });
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA cache_size = -32768; PRAGMA recursive_triggers = OFF; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY`);
  return new Connection(db);
}

export function openForReading(path: string): Connection {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  db.exec("PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY");
  return new Connection(db);
}

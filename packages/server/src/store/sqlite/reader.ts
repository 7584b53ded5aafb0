import type { Connection } from "./connection.ts";
import { asStoreError, storeClosed } from "./sqlite-error.ts";

type Sql = Connection["sql"];

/** Reads on the main thread. What an awaited write committed is seen. Errors are BerthErrors. */
export class Reader {
  readonly #connection: Connection;
  readonly #sql: Sql;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#sql = connection.sql.bind(connection);
  }

  /** One statement, or several that need not see the same state. */
  async read<T>(work: (sql: Sql) => T): Promise<T> {
    if (this.#closed) throw storeClosed("closed");
    try {
      return work(this.#sql);
    } catch (thrown) {
      throw asStoreError(thrown);
    }
  }

  /** Several statements that see one state of the database. */
  readTogether<T>(work: (sql: Sql) => T): Promise<T> {
    return this.read((sql) => this.#connection.reading(() => work(sql)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}

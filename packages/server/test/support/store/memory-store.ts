import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../src/lib/clock.ts";
import { runBatch, startWriting } from "../../../src/store/sqlite/batch.ts";
import { Connection } from "../../../src/store/sqlite/connection.ts";
import { knownMigrations, migrate } from "../../../src/store/sqlite/migrate.ts";
import { orgStores } from "../../../src/store/sqlite/org-store.ts";
import type { ArgsOf, OperationCall, OperationName, ResultOf } from "../../../src/store/sqlite/protocol.ts";
import { Reader } from "../../../src/store/sqlite/reader.ts";
import { systemStore } from "../../../src/store/sqlite/system-store.ts";
import { timeOf } from "../../../src/store/sqlite/transaction.ts";
import type { Writer } from "../../../src/store/sqlite/writer.ts";
import type { Store } from "../../../src/store/store.ts";
import { BerthError } from "../../../src/lib/errors.ts";

/** The SQLite store's own operations on a database in memory, without a thread and a disk: for tests of many thousand steps in virtual time. */
export function openMemoryStore(clock: Clock): Pick<Store, "org" | "system" | "close"> {
  const connection = new Connection(new DatabaseSync(":memory:"));
  migrate(connection, knownMigrations(), clock.now());
  const writing = startWriting(connection);
  const run = async <K extends OperationName>(name: K, args: ArgsOf<K>): Promise<ResultOf<K>> => {
    const [reply] = runBatch(writing, [{ name, args } as OperationCall], timeOf(clock)).replies;
    if (reply?.ok === true) return reply.value as ResultOf<K>;
    const { code, message, ...rest } = reply?.error ?? { code: "internal", message: "no reply" };
    throw new BerthError(code, message, rest);
  };
  const writer = { run } as unknown as Writer;
  const reader = new Reader(connection);
  return {
    org: orgStores({ writer, reader, clock }),
    system: systemStore({ writer, reader, clock }),
    async close() {
      reader.close();
    },
  };
}

import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { backup } from "node:sqlite";
import { type Connection, openForReading } from "./connection.ts";
import { asStoreError } from "./sqlite-error.ts";

/** Pages of one step: all of them, because a step holds one read transaction and a write in between would begin the copy anew. */
const allPages = 2_147_483_647;

/**
 * Copies the database of a data folder as it is at one moment, while others read and write it. One thread of Node's pool copies; a
 * writer only waits for the log to be cut back meanwhile. The copy is on the disk when this resolves.
 */
export async function copyDatabase({ dataDir, to }: { dataDir: string; to: string }): Promise<void> {
  const source = openForReading(join(dataDir, "berth.db"));
  try {
    await backup(source.db, to, { rate: allPages });
  } catch (thrown) {
    throw asStoreError(thrown);
  } finally {
    source.close();
  }
  const file = await open(to, "r");
  await file.sync().finally(() => file.close());
}

/** A database that nobody writes, to look into. */
export interface OpenSnapshot {
  readonly bytes: number;
  readonly deployment: string;
  readonly generation: number;
  readonly schema: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly blobCount: number;
  readonly blobBytes: number;
  blobs(): Iterable<{ orgId: string; hash: string; size: number; referenced: boolean }>;
  close(): void;
}

export function openSnapshot(path: string): OpenSnapshot {
  const connection = openForReading(path);
  const deployment = connection
    .sql<{ id: string; generation: number }>("SELECT id, generation FROM deployment")
    .get();
  const schema = connection.sql<{ newest: number }>("SELECT max(number) AS newest FROM migrations").get();
  const blobs = connection
    .sql<{ count: number; bytes: number | null }>("SELECT count(*) AS count, sum(size) AS bytes FROM blobs")
    .get();
  return {
    blobCount: blobs?.count ?? 0,
    blobBytes: blobs?.bytes ?? 0,
    bytes: statSync(path).size,
    deployment: deployment?.id ?? "",
    generation: deployment?.generation ?? 1,
    schema: schema?.newest ?? 0,
    counts: countsOf(connection),
    *blobs() {
      const rows = connection.sql<{ orgId: string; hash: string; size: number; referenced: number }>(
        "SELECT org_id AS orgId, hash, size, referenced FROM blobs",
      );
      for (const { referenced, ...blob } of rows.iterate()) yield { ...blob, referenced: referenced === 1 };
    },
    close: () => connection.close(),
  };
}

/** Nothing that has to read every session: this thread answers people meanwhile. */
function countsOf(connection: Connection): Record<string, number> {
  const number = (query: string) => connection.sql<{ number: number | null }>(query).get()?.number ?? 0;
  return {
    orgs: number("SELECT count(*) AS number FROM orgs"),
    accounts: number("SELECT count(*) AS number FROM accounts"),
    agents: number("SELECT count(*) AS number FROM agents"),
    sessions: number("SELECT sum(count) AS number FROM session_counts"),
    inputs: number("SELECT count(*) AS number FROM mailbox"),
  };
}

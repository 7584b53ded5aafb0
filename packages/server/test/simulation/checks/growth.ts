import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Follower } from "../actors/follower.ts";
import { real } from "../engine/virtual-globals.ts";
import type { Ledger } from "./ledger.ts";
import type { World } from "../world.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** How much there is of everything that could pile up, at one moment. */
export type Sizes = Readonly<Record<string, number>>;

/** What may grow: history, kept by design for as long as the organization wants it; and rows of crashed workers, which go when the store is opened. */
const history: ReadonlySet<string> = new Set([
  "rows of agent_versions",
  "rows of usage_ledger",
  "rows of usage_days",
  "rows of log_blocks",
  "rows of audit_log",
  "rows of workers",
  "events of the oldest session",
]);

export async function sizesOf(world: World, followers: readonly Follower[]): Promise<Sizes> {
  const { board, database, scheduler, ledger, workers } = world;
  const live = workers.map(({ isUp, worker }) => (isUp ? (worker?.activation.all().length ?? 0) : 0));
  const [oldest] = ledger.books.values();
  const sizes: Record<string, number> = {
    "heap bytes": await heapBytes(ledger),
    "timers pending": scheduler.pending,
    "sessions in memory": live.reduce((sum, one) => sum + one, 0),
    "sessions in the ledger": ledger.books.size,
    "events of the oldest session": oldest?.raw.length ?? 0,
    followers: followers.length,
    "topics listened to": board.listeners.size + board.answerers.size + board.announced.size,
    "wake-ups": await world.broker.size(),
    blobs: world.blobs.size,
    workspaces: world.disk.size,
  };
  const { connection } = database;
  const tables = connection
    .sql<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all();
  for (const { name } of tables) {
    const row = connection.sql<{ rows: number }>(`SELECT count(*) AS rows FROM "${name}"`).get();
    sizes[`rows of ${name}`] = row?.rows ?? 0;
  }
  return sizes;
}

/** Without the ledger's copy of the logs: that one grows with what it knows. */
async function heapBytes({ books }: Ledger): Promise<number> {
  const back = [...books.values()].map((book) => book.putAway());
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) => real.setImmediate(() => resolve()));
    collect();
  }
  const { heapUsed } = process.memoryUsage();
  for (const restore of back) restore();
  return heapUsed;
}

/** By how much the heap may differ between the first hours and the last ones. */
const heapShare = 0.05;
/** By how much a count may: a crowd of one hour is larger than that of another. */
const countShare = 0.5;
const countRoom = 25;
/** The oldest session goes on making runs and files: one row of a table for three events of its log. */
const oldestEvents = "events of the oldest session";

/** What grew from the first hours (the very first is not counted: everything comes to be in it) to the last ones, as sentences. */
export function whatGrew(hours: readonly Sizes[]): readonly string[] {
  const span = Math.max(1, Math.floor((hours.length - 1) / 3));
  const [first, last] = [hours.slice(1, 1 + span), hours.slice(-span)];
  const mean = (sizes: readonly Sizes[], name: string) =>
    sizes.reduce((sum, one) => sum + (one[name] ?? 0), 0) / sizes.length;
  return Object.keys(hours.at(-1) ?? {}).flatMap((name) => {
    if (history.has(name)) return [];
    const [before, after] = [mean(first, name), mean(last, name)];
    const room = countRoom + (mean(last, oldestEvents) - mean(first, oldestEvents)) / 3;
    const most = name === "heap bytes" ? before * (1 + heapShare) : before * (1 + countShare) + room;
    return after <= most
      ? []
      : [`${name}: ${before.toFixed(0)} in the first hours, ${after.toFixed(0)} in the last`];
  });
}

import { deserialize, serialize } from "node:v8";
import type { Follower } from "../actors/follower.ts";
import type { World } from "../world.ts";
import { readHeap } from "./heap.ts";

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
    ...(await heapWithout(world)),
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

/** Begins the names of what is counted in the heap. */
const inHeap = "in the heap: ";

/** Without what is no part of the server: the ledger's copy of the logs, which grows with what it knows, and the disk that blobs are on. */
async function heapWithout({ ledger, blobs }: World): Promise<Sizes> {
  const books = [...ledger.books.values()].map((book) => book.putAway());
  const shelf = serialize(blobs);
  blobs.clear();
  const { bytes, counts } = await readHeap();
  for (const [key, data] of deserialize(shelf) as World["blobs"]) blobs.set(key, data);
  for (const restore of books) restore();
  const named = [...counts].map(([name, count]) => [`${inHeap}${name}`, count] as const);
  return { "heap bytes": bytes, ...Object.fromEntries(named) };
}

/** Hours until as much of everything is there as there will be: what was asked with a key is known for three. */
const warmUp = 4;

/** Fewer say nothing about growth: the crowd of one hour is larger than that of another. */
export const leastHours = 16;

/** By how much the bytes of the heap may differ between the hours after that and the last ones. */
const heapShare = 0.03;
/** The number of one kind of object in it, or of closures of one name, may by the same, and some more of few. One of anything for each run is more. */
const kindRoom = 50;
/** By how much another count may. */
const countShare = 0.5;
const countRoom = 25;
/** The oldest session goes on making runs and files: one row of a table for three events of its log. */
const oldestEvents = "events of the oldest session";

/** What grew from the hours after the first ones to the last ones, as sentences; what grew most of its kind first. */
export function whatGrew(hours: readonly Sizes[]): readonly string[] {
  const span = Math.max(1, Math.floor((hours.length - warmUp) / 3));
  const [first, last] = [hours.slice(warmUp, warmUp + span), hours.slice(-span)];
  const mean = (sizes: readonly Sizes[], name: string) =>
    sizes.reduce((sum, one) => sum + (one[name] ?? 0), 0) / sizes.length;
  const room = countRoom + (mean(last, oldestEvents) - mean(first, oldestEvents)) / 3;
  const most = (name: string, before: number) => {
    if (name === "heap bytes") return before * (1 + heapShare);
    if (name.startsWith(inHeap)) return before * (1 + heapShare) + kindRoom;
    return before * (1 + countShare) + room;
  };
  return Object.keys(hours.at(-1) ?? {})
    .filter((name) => !history.has(name))
    .map((name) => ({ name, before: mean(first, name), after: mean(last, name) }))
    .filter(({ name, before, after }) => after > most(name, before))
    .toSorted((one, other) => other.after - other.before - (one.after - one.before))
    .map(
      ({ name, before, after }) =>
        `${name}: ${before.toFixed(0)} in hours ${warmUp + 1} to ${warmUp + span}, ${after.toFixed(0)} in the last ${span}`,
    );
}

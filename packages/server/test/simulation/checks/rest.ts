import { encodeState } from "../../../src/session/snapshot.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import type { Follower } from "../actors/follower.ts";
import type { Requests } from "../actors/requests.ts";
import type { World } from "../world.ts";
import type { Book } from "./book.ts";
import { must } from "./violation.ts";

/** What has not come to rest yet, as a sentence; null when everything has. */
export function whatMoves(world: World, requests: Requests, followers: readonly Follower[]): string | null {
  if (requests.open > 0) return `${requests.open} requests go on`;
  for (const book of world.ledger.books.values()) {
    if (book.deleted) continue;
    if (book.open > 0)
      return `${book.id} has ${book.open} inputs that nobody takes, held by ${book.holder}: ${waiting(book)}`;
    const { run } = book.state;
    if (run !== null)
      return `${book.id}: run ${run.id} goes on at ${book.raw.length}, held by ${book.holder}`;
  }
  const behind = followers.find((follower) => !follower.isUpToDate);
  return behind === undefined ? null : behind.describe();
}

function waiting({ inputs }: Book): string {
  return [...inputs.values()]
    .filter(({ taken }) => !taken)
    .map(({ id, type }) => `${type} ${id}`)
    .join();
}

/** The database says what its commits said. */
export function checkRest(world: World): void {
  world.checking(() => {
    for (const book of world.ledger.books.values()) if (!book.deleted) checkBook(world, book);
  });
}

function checkBook(world: World, book: Book): void {
  const { connection } = world.database;
  const row = connection
    .sql<{ no: number; lastSeq: number; status: string }>(
      "SELECT no, last_seq AS lastSeq, status FROM sessions WHERE id = ?",
    )
    .get(book.id);
  must(row !== undefined, "I1", () => `${book.id} is not in the database`);
  must(
    row.lastSeq === book.raw.length,
    "I1",
    () => `${book.id} ends at ${row.lastSeq} and not at ${book.raw.length}`,
  );
  must(row.status !== "quarantined", "rest", () => `${book.id} is quarantined`);
  must(
    encodeState(fold(effectiveEvents(book.raw))) === encodeState(book.state),
    "I8",
    () => `${book.id}: the fold from 0 is not what the events led to`,
  );
  const runs = connection
    .sql<{ id: string }>(
      "SELECT id FROM runs WHERE session_id = ? AND status IN ('queued', 'running', 'waiting')",
    )
    .all(book.id);
  must(
    runs.length === 0,
    "I4",
    () => `${book.id} has runs that are not over: ${runs.map(({ id }) => id).join()}`,
  );
}

import { encodeState } from "../../../src/session/snapshot.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { statusOf } from "../../../src/session/state.ts";
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

/** Milliseconds after which a sweep must have come by, when nothing goes wrong. */
const lateMs = 7_000;

/** What is due has fired. How late a timer is counts from when it was seen to be due: what a clock that is behind sets may be at once. */
export class TimerCheck {
  /** Since when timers are due, in milliseconds of the world, by session and reference. */
  #since = new Map<string, number>();

  look(world: World): void {
    const { database, storeClock, scheduler } = world;
    const due = database.connection
      .sql<{ session: number; ref: string; kind: string }>(
        "SELECT session_no AS session, kind, ref FROM timers WHERE due_at <= ?",
      )
      .all(storeClock.now());
    const keyOf = ({ session, ref }: (typeof due)[number]) => `${session} ${ref}`;
    this.#since = new Map(due.map((one) => [keyOf(one), this.#since.get(keyOf(one)) ?? scheduler.now]));
    for (const one of due) {
      const late = scheduler.now - (this.#since.get(keyOf(one)) ?? scheduler.now);
      if (late > lateMs) world.fail("timer", `the ${one.kind} timer of ${one.ref} is ${late} ms late`);
    }
  }
}

/** I12: no session has inputs that it could take. */
export function checkTaken(world: World): void {
  for (const book of world.ledger.books.values()) {
    const { run } = book.state;
    if (book.deleted || book.open === 0 || (run !== null && run.waitingSince === null)) continue;
    const isOpen = [...book.inputs.values()].some(
      ({ taken, lane }) => !taken && (run === null || lane === "control"),
    );
    if (isOpen) world.fail("I12", `${book.id} is held by ${book.holder}, and nobody takes ${waiting(book)}`);
  }
}

/** The database says what its commits said. */
export function checkRest(world: World): void {
  world.checking(() => {
    for (const book of world.ledger.books.values()) if (!book.deleted) checkBook(world, book);
    checkBudgets(world);
  });
}

/** What a session must not have when nothing of it goes on. */
const left = [
  [
    "approvals that nobody can decide:",
    "SELECT id AS one FROM approvals WHERE session_id = ? AND status = 'pending'",
  ],
  [
    "timers of what is over:",
    "SELECT t.ref AS one FROM timers t JOIN sessions s ON s.no = t.session_no WHERE s.id = ?",
  ],
] as const;

/** Budgets hold the sum of what all calls used, and nothing is set aside for calls that are over. */
function checkBudgets({ database: { connection } }: World): void {
  const counted = connection
    .sql<{ id: string; spent: number; reserved: number; used: number }>(
      `SELECT budget_id AS id, spent, reserved, (SELECT coalesce(sum(input_tokens + output_tokens), 0) FROM usage_ledger) AS used
        FROM budget_periods`,
    )
    .all();
  for (const { id, spent, reserved, used } of counted)
    must(
      spent === used && reserved === 0,
      "usage",
      () => `the budget ${id} counts ${spent} and holds ${reserved} back, and calls used ${used}`,
    );
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
  must(
    row.status === statusOf(book.state),
    "rows",
    () => `${book.id} is listed as ${row.status} and is ${statusOf(book.state)}`,
  );
  const counted = connection
    .sql<{ tokens: number | null }>(
      `SELECT sum(input_tokens + output_tokens) AS tokens FROM usage_ledger WHERE session_no = ? AND kind = 'compaction' AND ok = 1`,
    )
    .get(row.no);
  must(
    (counted?.tokens ?? 0) === book.spending.summaryTokens,
    "usage",
    () =>
      `the summaries of ${book.id} used ${book.spending.summaryTokens} tokens, and ${counted?.tokens} are counted`,
  );
  for (const [what, select] of left) {
    const rows = connection.sql<{ one: string }>(select).all(book.id);
    must(rows.length === 0, "rows", () => `${book.id} has ${what} ${rows.map(({ one }) => one).join()}`);
  }
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

import { type FailpointName, failpoint } from "../../lib/failpoint.ts";
import { AppendHints } from "./append-hints.ts";
import { BudgetOrgs } from "./budget-orgs.ts";
import type { Connection } from "./connection.ts";
import { runOperation } from "./operations/run-operation.ts";
import type { OperationCall, OperationName, OperationReply, WriteError } from "./protocol.ts";
import { asStoreError, failsWholeBatch } from "./sqlite-error.ts";
import { writeFailure } from "./write-failure.ts";
import type { StoreTime } from "./transaction.ts";

const beforeCommit: Partial<Record<OperationName, FailpointName>> = {
  append: "store.commit.before",
  accept: "store.accept.before-commit",
};
const afterCommit: Partial<Record<OperationName, FailpointName>> = {
  append: "store.commit.after",
  accept: "store.accept.after-commit",
  createSession: "store.create-session.after-commit",
  claim: "store.claim.after-commit",
  release: "store.release.after-commit",
  putSnapshot: "store.snapshot.after-commit",
  fireTimers: "store.timers.after-commit",
  heartbeat: "store.heartbeat.after-commit",
  createAgent: "store.agent.after-commit",
  putAgent: "store.agent.after-commit",
  archiveAgent: "store.agent.after-commit",
};

/** What the writer thread keeps from batch to batch. */
export interface Writing {
  readonly connection: Connection;
  readonly hints: AppendHints;
  readonly budgets: BudgetOrgs;
  /** Why the last batch that had something to write could not; null when it could. */
  failing: WriteError | null;
}

export function startWriting(connection: Connection): Writing {
  return { connection, hints: new AppendHints(), budgets: new BudgetOrgs(), failing: null };
}

export interface BatchResult {
  readonly replies: readonly OperationReply[];
  readonly commitMs: number;
}

/**
 * Runs operations in one transaction with one fsync. One that is refused or fails changes nothing and leaves its neighbours
 * alone: each has a savepoint. Appends go without at first (0.8 us each) because they check before they write; should one
 * fail all the same, the whole batch is rolled back and runs again with savepoints for all. A full disk or a failing file
 * fails them all, and nothing of the batch stands.
 */
export function runBatch(writing: Writing, calls: readonly OperationCall[], time: StoreTime): BatchResult {
  try {
    return attempt(writing, calls, { time, guardAppends: false });
  } catch (thrown) {
    rollBack(writing);
    if (failsWholeBatch(thrown)) return failAll(writing, calls, thrown);
  }
  try {
    return attempt(writing, calls, { time, guardAppends: true });
  } catch (thrown) {
    rollBack(writing);
    return failAll(writing, calls, thrown);
  }
}

function attempt(
  writing: Writing,
  calls: readonly OperationCall[],
  { time, guardAppends }: { time: StoreTime; guardAppends: boolean },
): BatchResult {
  const { connection, hints, budgets } = writing;
  const changesBefore = writing.failing === null ? null : changesOf(connection);
  connection.sql("BEGIN IMMEDIATE").run();
  const tx = { sql: connection.sql.bind(connection), ...time, hints, budgets };
  const replies = calls.map((call): OperationReply => {
    if (call.name === "append" && !guardAppends) return { ok: true, value: runOperation(tx, call) };
    return runInSavepoint(writing, () => runOperation(tx, call));
  });
  hit(beforeCommit, calls);
  const start = performance.now();
  connection.sql("COMMIT").run();
  const commitMs = performance.now() - start;
  if (changesBefore !== null && changesOf(connection) > changesBefore) writing.failing = null;
  hit(afterCommit, calls);
  if (!calls.some(({ name }) => name === "truncateLog")) return { replies, commitMs };
  const cut: OperationReply = { ok: true, value: truncateLog(connection) };
  return {
    replies: replies.map((reply, index) => (calls[index]?.name === "truncateLog" ? cut : reply)),
    commitMs,
  };
}

/** Not within a transaction. False when a reader needs the log just now. */
function truncateLog(connection: Connection): boolean {
  return connection.sql<{ busy: number }>("PRAGMA wal_checkpoint(TRUNCATE)").get()?.busy === 0;
}

/** Rows changed since it was opened: a commit without any says nothing of the disk. */
function changesOf(connection: Connection): number {
  return connection.sql<{ changes: number }>("SELECT total_changes() AS changes").get()?.changes ?? 0;
}

function failAll(writing: Writing, calls: readonly OperationCall[], thrown: unknown): BatchResult {
  const error = plainError(writeFailure(thrown, writing.connection.db.location()));
  if (failsWholeBatch(thrown)) writing.failing = error;
  const reply: OperationReply = { ok: false, error };
  return { replies: calls.map(() => reply), commitMs: 0 };
}

function runInSavepoint({ connection, budgets }: Writing, operation: () => unknown): OperationReply {
  connection.sql("SAVEPOINT operation").run();
  let reply: OperationReply;
  try {
    reply = { ok: true, value: operation() };
  } catch (thrown) {
    if (failsWholeBatch(thrown)) throw thrown;
    connection.sql("ROLLBACK TO operation").run();
    budgets.forgetAll();
    reply = { ok: false, error: plainError(thrown) };
  }
  connection.sql("RELEASE operation").run();
  return reply;
}

/** SQLite has already rolled back after some errors; then there is nothing left to do. */
function rollBack({ connection, budgets }: Writing): void {
  budgets.forgetAll();
  if (connection.db.isTransaction) connection.sql("ROLLBACK").run();
}

function hit(points: Partial<Record<OperationName, FailpointName>>, calls: readonly OperationCall[]): void {
  for (const call of calls) {
    const point = points[call.name];
    if (point !== undefined) failpoint(point);
  }
}

/** Errors lose their class on the way between threads, so they travel as data. */
export function plainError(thrown: unknown): WriteError {
  const { code, message, retryable, details } = asStoreError(thrown);
  return { code, message, retryable, details };
}

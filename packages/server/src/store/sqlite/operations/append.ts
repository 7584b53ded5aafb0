import { BerthError } from "../../../lib/errors.ts";
import type { AppendOutcome } from "../../store.ts";
import type { AppendHint } from "../append-hints.ts";
import type { AppendArgs, EventBlock } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { writeProjection } from "./projection.ts";
import { referToBlobs } from "./blobs.ts";
import { meetsBudgets, withinBudgets } from "./budgets/within-budgets.ts";
import { settleCalls } from "./budgets/settle.ts";
import { changeSession } from "./session-columns.ts";

interface Fence extends AppendHint {
  readonly epoch: number;
  readonly lastSeq: number;
  readonly holder: string | null;
}

/**
 * Appends one commit's events behind the fence of its session's row. What is checked is checked before anything is
 * written, the fence by the first statement that writes. Only budgets are judged after that, by what the commit itself settles, and
 * what they refuse is undone.
 */
export function append(tx: Transaction, args: AppendArgs): AppendOutcome {
  return meetsBudgets(tx, args.commit)
    ? withinBudgets(tx, args.commit, () => appendBehindFence(tx, args))
    : appendBehindFence(tx, args);
}

function appendBehindFence(tx: Transaction, args: AppendArgs): AppendOutcome {
  const { commit } = args;
  const hint = tx.hints.get(commit);
  if (hint !== undefined && allWaiting(tx, hint.no, commit) && passFence(tx, hint, args)) {
    writeBehindFence(tx, hint, args);
    return { ok: true };
  }
  const fence = tx
    .sql<Fence>(
      `SELECT no, epoch, last_seq AS lastSeq, holder, status, current_run_id AS currentRunId
        FROM sessions WHERE org_id = ? AND id = ?`,
    )
    .get(commit.orgId, commit.sessionId);
  if (fence === undefined || fence.epoch !== commit.epoch || fence.holder === null) {
    return { ok: false, reason: "fenced" };
  }
  if (fence.lastSeq !== commit.expectedSeq) return { ok: false, reason: "wrong_seq" };
  if (!allWaiting(tx, fence.no, commit)) return { ok: false, reason: "duplicate_input" };
  if (!passFence(tx, fence, args))
    throw new BerthError("internal", "a fence that was just read did not hold");
  writeBehindFence(tx, fence, args);
  return { ok: true };
}

/** True when each of the inputs that are taken is in the mailbox, and none is named twice; and the next one, where that is asked for. */
function allWaiting(
  tx: Transaction,
  no: number,
  { orgId, taken, takesNext = false }: AppendArgs["commit"],
): boolean {
  if (taken.length === 0) return true;
  if (takesNext) return taken.length === 1 && taken[0] === nextWaiting(tx, orgId, no);
  if (taken.length > 1 && new Set(taken).size !== taken.length) return false;
  const find = tx.sql("SELECT 1 FROM mailbox WHERE org_id = ? AND session_no = ? AND id = ?");
  return taken.every((inputId) => find.get(orgId, no, inputId) !== undefined);
}

function nextWaiting(tx: Transaction, orgId: string, no: number): string | undefined {
  return tx
    .sql<{ id: string }>(
      "SELECT id FROM mailbox WHERE org_id = ? AND session_no = ? ORDER BY lane, position LIMIT 1",
    )
    .get(orgId, no)?.id;
}

/** False when the fence or the hint does not hold; then nothing is written. */
function passFence(tx: Transaction, hint: AppendHint, { commit, block }: AppendArgs): boolean {
  const { epoch, expectedSeq } = commit;
  const claimsFactor = block.count > 0 ? 0 : 1;
  const { changes } = tx
    .sql(
      `UPDATE sessions SET last_seq = ?, updated_at = ?, claims = claims * ?
        WHERE no = ? AND epoch = ? AND last_seq = ? AND holder IS NOT NULL AND status = ? AND current_run_id IS ?`,
    )
    .run(
      expectedSeq + block.count,
      tx.now,
      claimsFactor,
      hint.no,
      epoch,
      expectedSeq,
      hint.status,
      hint.currentRunId,
    );
  return changes === 1;
}

function writeBehindFence(tx: Transaction, before: AppendHint, { commit, block }: AppendArgs): void {
  const { orgId, sessionId, expectedSeq, projection, blobs = [], settles = [], maxEventVersion = 1 } = commit;
  const { no } = before;
  const firstSeq = expectedSeq + 1;
  if (block.count > 0) insertBlock(tx, { orgId, logNo: no, firstSeq, block });
  for (const inputId of commit.taken) {
    tx.sql("DELETE FROM mailbox WHERE org_id = ? AND session_no = ? AND id = ?").run(orgId, no, inputId);
  }
  if (settles.length > 0) settleCalls(tx, { orgId, sessionId, no }, settles);
  if (projection !== undefined) {
    changeSession(tx, before, projection);
    writeProjection(tx, { orgId, sessionId, no }, projection);
  }
  if (blobs.length > 0) referToBlobs(tx, { orgId, logNo: no, seq: firstSeq, hashes: blobs });
  if (maxEventVersion > 1) {
    tx.sql("UPDATE sessions SET max_event_version = max(max_event_version, ?) WHERE no = ?").run(
      maxEventVersion,
      no,
    );
  }
  const { status = before.status, currentRunId = before.currentRunId } = projection?.session ?? {};
  tx.hints.set(commit, { no, status, currentRunId });
}

export interface PlacedBlock {
  readonly orgId: string;
  readonly logNo: number;
  readonly firstSeq: number;
  readonly block: EventBlock;
}

export function insertBlock(tx: Transaction, { orgId, logNo, firstSeq, block }: PlacedBlock): void {
  tx.sql(
    "INSERT INTO log_blocks (org_id, log_no, first_seq, last_seq, types, body) VALUES (?, ?, ?, ?, ?, ?)",
  ).run(orgId, logNo, firstSeq, firstSeq + block.count - 1, block.types, block.body);
}

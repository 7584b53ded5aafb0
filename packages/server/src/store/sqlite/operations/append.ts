import { BerthError } from "../../../lib/errors.ts";
import type { AppendOutcome } from "../../store.ts";
import type { AppendHint } from "../append-hints.ts";
import type { AppendArgs, EventBlock } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { writeProjection } from "./projection.ts";
import { referToBlobs } from "./blobs.ts";
import { assignments, type Columns } from "./columns.ts";
import { sessionColumns } from "./session-columns.ts";

interface Fence {
  readonly no: number;
  readonly epoch: number;
  readonly lastSeq: number;
  readonly holder: string | null;
  readonly status: string;
}

/**
 * Appends one commit's events behind the fence of its session's row. What is checked is checked before anything is
 * written, the fence by the first statement that writes.
 */
export function append(tx: Transaction, args: AppendArgs): AppendOutcome {
  const hint = tx.hints.get(args);
  if (hint !== undefined && allWaiting(tx, hint.no, args) && passFence(tx, hint, args)) {
    writeBehindFence(tx, hint.no, args);
    return { ok: true };
  }
  const fence = tx
    .sql<Fence>(
      "SELECT no, epoch, last_seq AS lastSeq, holder, status FROM sessions WHERE org_id = ? AND id = ?",
    )
    .get(args.orgId, args.sessionId);
  if (fence === undefined || fence.epoch !== args.epoch || fence.holder === null) {
    return { ok: false, reason: "fenced" };
  }
  if (fence.lastSeq !== args.expectedSeq) return { ok: false, reason: "wrong_seq" };
  if (!allWaiting(tx, fence.no, args)) return { ok: false, reason: "duplicate_input" };
  if (!passFence(tx, fence, args))
    throw new BerthError("internal", "a fence that was just read did not hold");
  writeBehindFence(tx, fence.no, args);
  return { ok: true };
}

/** The session's row gets what the commit changes of it; false when the fence or the hint does not hold, with nothing written. */
function passFence(tx: Transaction, { no, status }: AppendHint, args: AppendArgs): boolean {
  const { orgId, sessionId, epoch, expectedSeq, block, projection } = args;
  const columns: Columns = { last_seq: expectedSeq + block.count, updated_at: tx.now };
  if (block.count > 0) columns["claims"] = 0;
  if (projection?.session !== undefined) {
    Object.assign(columns, sessionColumns(tx, { no, status }, projection.session));
  }
  const { changes } = tx
    .sql(
      `UPDATE sessions SET ${assignments(columns)}
        WHERE no = ? AND epoch = ? AND last_seq = ? AND holder IS NOT NULL AND status = ?`,
    )
    .run(...Object.values(columns), no, epoch, expectedSeq, status);
  if (Number(changes) !== 1) return false;
  tx.hints.set({ orgId, sessionId }, { no, status: projection?.session?.status ?? status });
  return true;
}

function writeBehindFence(tx: Transaction, no: number, args: AppendArgs): void {
  const { orgId, sessionId, expectedSeq, block, projection, taken, blobs, maxEventVersion } = args;
  if (block.count > 0) insertBlock(tx, { orgId, logNo: no, firstSeq: expectedSeq + 1, block });
  for (const inputId of taken) {
    tx.sql("DELETE FROM mailbox WHERE org_id = ? AND session_no = ? AND id = ?").run(orgId, no, inputId);
  }
  if (projection !== undefined) writeProjection(tx, { orgId, sessionId, no }, projection);
  if (blobs !== undefined && blobs.length > 0) {
    referToBlobs(tx, { orgId, logNo: no, seq: expectedSeq + 1, hashes: blobs });
  }
  if (maxEventVersion !== undefined && maxEventVersion > 1) {
    tx.sql("UPDATE sessions SET max_event_version = max(max_event_version, ?) WHERE no = ?").run(
      maxEventVersion,
      no,
    );
  }
}

/** True when each of these inputs is in the mailbox, and none is named twice. */
function allWaiting(tx: Transaction, no: number, { orgId, taken }: AppendArgs): boolean {
  if (taken.length === 0) return true;
  if (taken.length > 1 && new Set(taken).size !== taken.length) return false;
  const find = tx.sql("SELECT 1 FROM mailbox WHERE org_id = ? AND session_no = ? AND id = ?");
  return taken.every((inputId) => find.get(orgId, no, inputId) !== undefined);
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

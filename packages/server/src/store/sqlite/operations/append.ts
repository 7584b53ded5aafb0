import type { AppendOutcome } from "../../store.ts";
import type { AppendArgs, EventBlock } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { writeProjection } from "./projection.ts";
import { referToBlobs } from "./blobs.ts";
import { sessionColumns, updateSession } from "./session-columns.ts";

interface Fence {
  readonly no: number;
  readonly epoch: number;
  readonly lastSeq: number;
  readonly holder: string | null;
  readonly status: string;
}

/** Appends one commit's events behind the fence of its session's row. Nothing is written before all of it is known to pass. */
export function append(tx: Transaction, args: AppendArgs): AppendOutcome {
  const { orgId, sessionId, epoch, expectedSeq, block, projection } = args;
  const fence = tx
    .sql<Fence>(
      "SELECT no, epoch, last_seq AS lastSeq, holder, status FROM sessions WHERE org_id = ? AND id = ?",
    )
    .get(orgId, sessionId);
  if (fence === undefined || fence.epoch !== epoch || fence.holder === null)
    return { ok: false, reason: "fenced" };
  if (fence.lastSeq !== expectedSeq) return { ok: false, reason: "wrong_seq" };
  const { no } = fence;
  if (!allWaiting(tx, orgId, no, args.taken)) return { ok: false, reason: "duplicate_input" };

  const row = projection?.session === undefined ? {} : sessionColumns(tx, fence, projection.session);
  if (block.count > 0) {
    Object.assign(row, { last_seq: expectedSeq + block.count, claims: 0, updated_at: tx.now });
    insertBlock(tx, { orgId, logNo: no, firstSeq: expectedSeq + 1, block });
  }
  updateSession(tx, no, row);
  for (const inputId of args.taken) {
    tx.sql("DELETE FROM mailbox WHERE org_id = ? AND session_no = ? AND id = ?").run(orgId, no, inputId);
  }
  if (projection !== undefined) writeProjection(tx, { orgId, sessionId, no }, projection);
  if (args.blobs !== undefined && args.blobs.length > 0) {
    referToBlobs(tx, { orgId, logNo: no, seq: expectedSeq + 1, hashes: args.blobs });
  }
  if (args.maxEventVersion !== undefined && args.maxEventVersion > 1) {
    tx.sql("UPDATE sessions SET max_event_version = max(max_event_version, ?) WHERE no = ?").run(
      args.maxEventVersion,
      no,
    );
  }
  return { ok: true };
}

/** True when each of these inputs is in the mailbox, and none is named twice. */
function allWaiting(tx: Transaction, orgId: string, no: number, taken: readonly string[]): boolean {
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

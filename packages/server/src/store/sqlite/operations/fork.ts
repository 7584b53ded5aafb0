import type { EventBlock } from "../protocol.ts";
import { blocksOf, splitBlock } from "../queries/log.ts";
import { segmentsOf } from "../queries/segments.ts";
import type { SessionRow } from "../queries/session-row.ts";
import type { Transaction } from "../transaction.ts";
import { insertBlock } from "./append.ts";

interface Prefix {
  readonly parent: SessionRow;
  /** The fork's number. */
  readonly no: number;
  /** The last event that it has in common with its parent. */
  readonly seq: number;
}

/** The fork's chain is its parent's, cut off at the seq. Nothing of the log is copied. */
export function sharePrefix(tx: Transaction, { parent, no, seq }: Prefix): void {
  segmentsOf(tx.sql, parent, seq).forEach(({ logNo, upTo }, ordinal) => {
    tx.sql(
      "INSERT INTO segments (org_id, session_no, ordinal, log_no, up_to_seq) VALUES (?, ?, ?, ?, ?)",
    ).run(parent.orgId, no, ordinal, logNo, upTo);
  });
  copyRewinds(tx, { parent, no, seq });
}

/** The fork gets the prefix in its own log, with the blob references; nothing ties it to its parent. */
export function copyPrefix(tx: Transaction, prefix: Prefix): void {
  copySegments(tx, prefix);
  copyRewinds(tx, prefix);
}

/** A fork that shares its prefix gets it as its own, as if it had been copied when it was made. */
export function unshare(tx: Transaction, fork: SessionRow): void {
  const shared = tx
    .sql<{ seq: number | null }>(
      "SELECT max(up_to_seq) AS seq FROM segments WHERE org_id = ? AND session_no = ?",
    )
    .get(fork.orgId, fork.no);
  if (shared === undefined || shared.seq === null) return;
  copySegments(tx, { parent: fork, no: fork.no, seq: shared.seq });
  tx.sql("DELETE FROM segments WHERE org_id = ? AND session_no = ?").run(fork.orgId, fork.no);
}

function copySegments(tx: Transaction, { parent, no, seq }: Prefix): void {
  for (const segment of segmentsOf(tx.sql, parent, seq)) {
    // The loop inserts into the table that it reads; it reads one log and writes another, so it never meets its own rows.
    for (const { firstSeq, ...block } of blocksOf(tx.sql, segment.logNo, {
      from: segment.from,
      to: segment.upTo,
    })) {
      const part = cut(block, segment.upTo - firstSeq + 1);
      insertBlock(tx, { orgId: parent.orgId, logNo: no, firstSeq, block: part });
    }
    tx.sql(`INSERT OR IGNORE INTO blob_refs (org_id, hash, log_no, seq)
      SELECT org_id, hash, ?, seq FROM blob_refs WHERE log_no = ? AND seq <= ?`).run(
      no,
      segment.logNo,
      segment.upTo,
    );
  }
}

/** A segment begins where a commit begins, and may end within one. */
function cut(block: Pick<EventBlock, "types" | "body">, count: number): EventBlock {
  const { types, lines } = splitBlock(block);
  const kept = lines.slice(0, count);
  return { count: kept.length, types: types.slice(0, count).join(","), body: kept.join("\n") };
}

function copyRewinds(tx: Transaction, { parent, no, seq }: Prefix): void {
  const { changes } = tx
    .sql(
      `INSERT INTO rewinds (org_id, session_no, at, to_seq)
        SELECT org_id, ?, at, to_seq FROM rewinds WHERE org_id = ? AND session_no = ? AND at <= ?`,
    )
    .run(no, parent.orgId, parent.no, seq);
  if (Number(changes) > 0) tx.sql("UPDATE sessions SET rewound = 1 WHERE no = ?").run(no);
}

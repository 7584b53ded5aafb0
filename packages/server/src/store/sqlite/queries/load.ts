import type { Rewind, StoredEvent } from "../../records.ts";
import type { LoadedLog } from "../../store.ts";
import type { Connection } from "../connection.ts";
import { effectiveRanges, readEvents } from "./log.ts";
import { findSessionRow, sessionRecord } from "./session-row.ts";
import { type Segment, segmentsOf } from "./segments.ts";

/** Must run inside one read transaction. */
export function loadLog(
  sql: Connection["sql"],
  wanted: { orgId: string; sessionId: string; stateVersion: number; upTo: number | undefined },
): LoadedLog | null {
  const row = findSessionRow(sql, wanted.orgId, wanted.sessionId);
  if (row === undefined) return null;
  const record = sessionRecord(row);
  const upTo = Math.min(wanted.upTo ?? row.lastSeq, row.lastSeq);
  const chain = segmentsOf(sql, row, upTo);
  const rewinds = record.rewinds.filter(({ at }) => at <= upTo);
  const snapshot = findSnapshot(sql, { orgId: row.orgId, chain, rewinds, stateVersion: wanted.stateVersion });
  const events: StoredEvent[] = [];
  const allowance = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };
  const after = snapshot?.seq ?? 0;
  for (const { from, to } of effectiveRanges(rewinds, upTo)) {
    if (to <= after) continue;
    readEvents(sql, { chain, range: { from: Math.max(from, after + 1), to }, allowance, into: events });
  }
  return { record, snapshot, events };
}

/** The newest snapshot of the chain that no rewind undid: one at s is undone by a rewind with toSeq < s < at. */
function findSnapshot(
  sql: Connection["sql"],
  wanted: { orgId: string; chain: readonly Segment[]; rewinds: readonly Rewind[]; stateVersion: number },
): { seq: number; body: string } | null {
  for (const segment of wanted.chain.toReversed()) {
    const seqs = sql<{ seq: number }>(
      `SELECT seq FROM snapshots WHERE org_id = ? AND log_no = ? AND seq BETWEEN ? AND ? AND state_version = ?
        ORDER BY seq DESC`,
    ).all(wanted.orgId, segment.logNo, segment.from, segment.upTo, wanted.stateVersion);
    const usable = seqs.find(({ seq }) => !wanted.rewinds.some(({ at, toSeq }) => toSeq < seq && seq < at));
    if (usable === undefined) continue;
    const row = sql<{ seq: number; body: string }>(
      "SELECT seq, body FROM snapshots WHERE org_id = ? AND log_no = ? AND seq = ?",
    ).get(wanted.orgId, segment.logNo, usable.seq);
    if (row !== undefined) return { seq: row.seq, body: row.body };
  }
  return null;
}

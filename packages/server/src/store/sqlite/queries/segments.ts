import type { Connection } from "../connection.ts";
import type { SessionRow } from "./session-row.ts";

/** Events `from` to `upTo` of a session, both included, lie in this log under the same numbers. */
export interface Segment {
  readonly logNo: number;
  readonly from: number;
  readonly upTo: number;
}

/** A session's log as a chain, in order and without a gap, up to and with `upTo`. */
export function segmentsOf(
  sql: Connection["sql"],
  session: Pick<SessionRow, "no" | "orgId" | "lastSeq">,
  upTo: number = session.lastSeq,
): Segment[] {
  const shared = sql<{ logNo: number; upTo: number }>(
    "SELECT log_no AS logNo, up_to_seq AS upTo FROM segments WHERE org_id = ? AND session_no = ? ORDER BY ordinal",
  ).all(session.orgId, session.no);
  const chain: Segment[] = [];
  let from = 1;
  for (const segment of [...shared, { logNo: session.no, upTo: session.lastSeq }]) {
    if (from <= upTo) chain.push({ logNo: segment.logNo, from, upTo: Math.min(segment.upTo, upTo) });
    from = segment.upTo + 1;
  }
  return chain;
}

import type { Rewind, StoredEvent } from "../../records.ts";
import type { EventBlock } from "../protocol.ts";
import type { Connection } from "../connection.ts";
import type { Segment } from "./segments.ts";

/** Seqs `from` to `to`, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** How much may still be read; `bytes` counts UTF-16 units, and the first event always comes. */
export interface Allowance {
  events: number;
  bytes: number;
}

interface BlockRow {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly types: string;
  readonly body: string;
}

/** Events of a chain within a range, in order, appended to `into` until the allowance is used up. */
export function readEvents(
  sql: Connection["sql"],
  {
    chain,
    range,
    allowance,
    into,
  }: { chain: readonly Segment[]; range: Range; allowance: Allowance; into: StoredEvent[] },
): void {
  for (const segment of chain) {
    const from = Math.max(range.from, segment.from);
    const to = Math.min(range.to, segment.upTo);
    if (from > to) continue;
    for (const block of blocksOf(sql, segment.logNo, { from, to })) {
      if (!takeEvents(block, { from, to }, { allowance, into })) return;
    }
  }
}

/** The blocks of one log that hold events of the range; the first and the last may hold others too. */
export function blocksOf(
  sql: Connection["sql"],
  logNo: number,
  { from, to }: Range,
): IterableIterator<BlockRow> {
  return sql<BlockRow>(
    `SELECT first_seq AS firstSeq, last_seq AS lastSeq, types, body FROM log_blocks
      WHERE log_no = ?1 AND first_seq <= ?3 AND first_seq >= coalesce(
        (SELECT max(first_seq) FROM log_blocks WHERE log_no = ?1 AND first_seq <= ?2), ?2)
      ORDER BY first_seq`,
  ).iterate(logNo, from, to);
}

function takeEvents(
  block: BlockRow,
  range: Range,
  { allowance, into }: { allowance: Allowance; into: StoredEvent[] },
): boolean {
  const { types, lines } = splitBlock(block);
  const last = Math.min(block.lastSeq, range.to);
  for (let seq = Math.max(block.firstSeq, range.from); seq <= last; seq++) {
    const json = lines[seq - block.firstSeq] ?? "";
    if (allowance.events <= 0 || (allowance.bytes < json.length && into.length > 0)) return false;
    allowance.events -= 1;
    allowance.bytes -= json.length;
    into.push({ seq, type: types[seq - block.firstSeq] ?? "", json });
  }
  return true;
}

/**
 * JSON never holds a raw line feed and no event type a comma, so both split without parsing: 0.04 us per event, against
 * 0.08 us for finding the type at the head of its line and 0.8 us for JSON.parse (290-byte events).
 */
export function splitBlock({ types, body }: Pick<EventBlock, "types" | "body">): {
  types: string[];
  lines: string[];
} {
  return { types: types.split(","), lines: body.split("\n") };
}

/** What is left of 1 to `upTo` when the events that these rewinds undid are taken out, in order. */
export function effectiveRanges(rewinds: readonly Rewind[], upTo: number): Range[] {
  const undone = rewinds
    .map(({ at, toSeq }) => ({ from: toSeq + 1, to: at - 1 }))
    .toSorted((a, b) => a.from - b.from);
  const ranges: Range[] = [];
  let next = 1;
  for (const { from, to } of undone) {
    if (from > next) ranges.push({ from: next, to: from - 1 });
    next = Math.max(next, to + 1);
  }
  if (next <= upTo) ranges.push({ from: next, to: upTo });
  return ranges;
}

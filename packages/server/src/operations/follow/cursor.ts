import { parseCursor } from "@berth/contract";
import { BerthError } from "../../lib/errors.ts";
import type { SessionRecord } from "../../store/records.ts";

/**
 * The seq after which a reader wants to go on, from `generation.seq` or a seq alone; null means from the first event. Throws `validation_failed` when the
 * text is no cursor, `cursor_invalid` when it is of another generation or ahead of the log.
 */
export function seqOfCursor(
  text: string | null,
  { generation, lastSeq }: Pick<SessionRecord, "generation" | "lastSeq">,
): number {
  if (text === null) return 0;
  const cursor = /^\d{1,15}$/.test(text) ? { generation, seq: Number(text) } : parseCursor(text);
  if (cursor === null) {
    throw new BerthError(
      "validation_failed",
      "A cursor is generation.seq, as the id of an event says it, or a seq alone: begin without one to read from the first event.",
    );
  }
  if (cursor.generation !== generation) {
    throw cursorInvalid("This cursor was given before the session was restored from a backup.");
  }
  if (cursor.seq > lastSeq) throw cursorInvalid(`This cursor is ahead of the log, which ends at ${lastSeq}.`);
  return cursor.seq;
}

function cursorInvalid(why: string): BerthError {
  return new BerthError("cursor_invalid", `${why} Begin again without a cursor.`);
}

import { statusOf } from "../../../src/session/state.ts";
import type { Connection } from "../../../src/store/sqlite/connection.ts";
import type { Book } from "./book.ts";
import { must } from "./violation.ts";

/** Called after each batch that changed a session: its row says what its commits said. */
export function checkRow(sql: Connection["sql"], { id, state, raw, epoch, holder }: Book): void {
  const row = sql<{ status: string; lastSeq: number; epoch: number; holder: string | null }>(
    "SELECT status, last_seq AS lastSeq, epoch, holder FROM sessions WHERE id = ?",
  ).get(id);
  const { status, lastSeq } = row ?? {};
  must(
    status === statusOf(state) || status === "quarantined",
    "rows",
    () => `${id} is listed as ${status} and is ${statusOf(state)}`,
  );
  must(lastSeq === raw.length, "I1", () => `${id} ends at ${lastSeq} and not at ${raw.length}`);
  must(
    row?.epoch === epoch && row.holder === holder,
    "I2",
    () => `${id} is held by ${row?.holder} at ${row?.epoch}, and not by ${holder} at ${epoch}`,
  );
}

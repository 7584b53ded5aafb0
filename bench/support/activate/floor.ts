// The floor of the activation bench, in a process of its own: the same rows read and parsed, and nothing made of them.
//   floor.ts <database file> <session id> …; sends the milliseconds that each took, in order
import { DatabaseSync } from "node:sqlite";

const [file = "", ...ids] = process.argv.slice(2);
const db = new DatabaseSync(file, { readOnly: true });
const rowOf = db.prepare("SELECT * FROM sessions WHERE id = ?");
const snapshotOf = db.prepare("SELECT seq, body FROM snapshots WHERE log_no = ? ORDER BY seq DESC LIMIT 1");
const logOf = db.prepare("SELECT body FROM log_blocks WHERE log_no = ? AND last_seq > ? ORDER BY first_seq");

const times = ids.map((id) => {
  const began = performance.now();
  const row = rowOf.get(id) as { no: number } | undefined;
  if (row === undefined) throw new Error(`there is no session ${id}`);
  const snapshot = snapshotOf.get(row.no) as { seq: number; body: string } | undefined;
  const blocks = logOf.all(row.no, snapshot?.seq ?? 0) as { body: string }[];
  if (snapshot !== undefined) JSON.parse(snapshot.body);
  for (const { body } of blocks) for (const line of body.split("\n")) JSON.parse(line);
  return performance.now() - began;
});
db.close();
process.send?.(times, () => process.disconnect?.());

import type { TimerRecord } from "../../records.ts";
import type { ArgsOf, SessionRef } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { findMailboxOwner, insertInput } from "./accept.ts";

interface DueTimer extends SessionRef {
  readonly no: number;
  readonly kind: TimerRecord["kind"];
  readonly ref: string;
}

/** Each due timer becomes a control input, the earliest first; as many as there are ids. A full mailbox does not hinder them. */
export function fireTimers(tx: Transaction, { inputIds }: ArgsOf<"fireTimers">): readonly SessionRef[] {
  const due = tx
    .sql<DueTimer>(
      `SELECT t.org_id AS orgId, s.id AS sessionId, s.no, t.kind, t.ref
        FROM timers t JOIN sessions s ON s.no = t.session_no WHERE t.due_at <= ? ORDER BY t.due_at LIMIT ?`,
    )
    .all(tx.now, inputIds.length);
  const woken = new Map<number, SessionRef>();
  due.forEach((timer, index) => {
    const { orgId, sessionId, no, kind, ref } = timer;
    const owner = findMailboxOwner(tx, timer);
    const id = inputIds[index];
    if (owner === undefined || id === undefined) return;
    insertInput(tx, {
      owner,
      position: owner.inputPosition + 1,
      input: {
        id,
        lane: "control",
        body: { type: "timer", kind, ref },
        runId: null,
        actor: { type: "system", id: "timer" },
        clientId: null,
        traceparent: null,
      },
    });
    tx.sql("UPDATE sessions SET input_position = input_position + 1 WHERE no = ?").run(no);
    tx.sql("DELETE FROM timers WHERE org_id = ? AND session_no = ? AND kind = ? AND ref = ?").run(
      orgId,
      no,
      kind,
      ref,
    );
    woken.set(no, { orgId, sessionId });
  });
  return [...woken.values()];
}

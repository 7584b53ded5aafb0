import type { Actor, InputBody } from "@berth/contract";
import type { InputRecord, Lane } from "../../records.ts";
import type { Connection } from "../connection.ts";

interface InputRow {
  readonly id: string;
  readonly orgId: string;
  readonly sessionId: string;
  readonly lane: number;
  readonly position: number;
  readonly body: string;
  readonly runId: string | null;
  readonly actor: string;
  readonly acceptedAt: number;
  readonly traceparent: string | null;
}

const lanes: readonly Lane[] = ["control", "steer", "queue"];

const select = `SELECT m.id, m.org_id AS orgId, s.id AS sessionId, m.lane, m.position, m.body, m.run_id AS runId, m.actor,
    m.accepted_at AS acceptedAt, m.traceparent
  FROM sessions s JOIN mailbox m ON m.org_id = s.org_id AND m.session_no = s.no`;

function inputRecord(row: InputRow): InputRecord {
  return {
    ...row,
    lane: lanes[row.lane] ?? "queue",
    body: JSON.parse(row.body) as InputBody,
    actor: JSON.parse(row.actor) as Actor,
  };
}

export function mailboxOf(sql: Connection["sql"], orgId: string, sessionId: string): InputRecord[] {
  return sql<InputRow>(`${select} WHERE s.org_id = ? AND s.id = ? ORDER BY m.lane, m.position`)
    .all(orgId, sessionId)
    .map(inputRecord);
}

export function heldMailboxesOf(sql: Connection["sql"], workerId: string): InputRecord[] {
  return sql<InputRow>(`${select} WHERE s.holder = ? ORDER BY s.no, m.lane, m.position`)
    .all(workerId)
    .map(inputRecord);
}

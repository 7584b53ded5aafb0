import { BerthError } from "../../../lib/errors.ts";
import type { Lane, NewInput } from "../../records.ts";
import type { AcceptedRecord, Outcome, Refusal } from "../../store.ts";
import type { AcceptArgs, SessionRef } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { changeVisibility } from "./access/visibility.ts";
import { once } from "./idempotency.ts";

const laneNumbers: Readonly<Record<Lane, number>> = { control: 0, steer: 1, queue: 2 };

/** A session's row, as far as its mailbox is concerned. */
export interface MailboxOwner extends SessionRef {
  readonly no: number;
  readonly status: string;
  readonly currentRunId: string | null;
  readonly inputPosition: number;
}

export function findMailboxOwner(
  tx: Transaction,
  { orgId, sessionId }: SessionRef,
): MailboxOwner | undefined {
  return tx
    .sql<MailboxOwner>(
      `SELECT org_id AS orgId, id AS sessionId, no, status, current_run_id AS currentRunId,
        input_position AS inputPosition FROM sessions WHERE org_id = ? AND id = ?`,
    )
    .get(orgId, sessionId);
}

export function accept(tx: Transaction, args: AcceptArgs): Outcome<readonly AcceptedRecord[]> {
  return once(tx, args, () => {
    const owner = findMailboxOwner(tx, args);
    if (owner === undefined) {
      throw new BerthError("session_not_found", `There is no session ${args.sessionId}.`);
    }
    if (args.visibility !== undefined) changeVisibility(tx, owner, args.visibility);
    return acceptInputs(tx, owner, args);
  });
}

interface Acceptance {
  readonly inputs: readonly NewInput[];
  readonly rejectIfBusy: boolean;
  readonly limit: number;
  readonly refusal?: Refusal | undefined;
}

/**
 * Puts inputs into a mailbox: all of them or none. One whose clientId is known is answered with what the first was, before
 * anything is refused, because its sender only repeats what has been accepted.
 */
export function acceptInputs(tx: Transaction, owner: MailboxOwner, change: Acceptance): AcceptedRecord[] {
  const known = change.inputs.map((input) => findByClientId(tx, owner, input.clientId));
  const fresh = change.inputs.filter((_, index) => known[index] === undefined);
  if (fresh.length === 0) return known.filter((record) => record !== undefined);
  const { refusal } = change;
  if (refusal !== undefined)
    throw new BerthError(refusal.code, refusal.message, { details: refusal.details });
  refuseByStatus(tx, owner, fresh, change.rejectIfBusy);
  let waiting = countWaiting(tx, owner);
  let position = owner.inputPosition;
  const accepted = change.inputs.map((input, index) => {
    // The same clientId may be there twice in one change.
    const before = known[index] ?? findByClientId(tx, owner, input.clientId);
    if (before !== undefined) return before;
    if (waiting >= change.limit) {
      throw new BerthError(
        "mailbox_full",
        `Session ${owner.sessionId} has ${waiting} inputs waiting: wait until it has taken some.`,
        { retryable: true, details: { limit: change.limit } },
      );
    }
    const record = { id: input.id, position: waiting, runId: input.runId };
    position += 1;
    waiting += 1;
    insertInput(tx, { owner, input, position });
    if (input.clientId !== null) insertClientId(tx, owner, input.clientId, record);
    return record;
  });
  tx.sql("UPDATE sessions SET input_position = ? WHERE no = ?").run(position, owner.no);
  return accepted;
}

const isMessage = ({ body }: NewInput) => body.type === "user.message" || body.type === "system.message";

function refuseByStatus(
  tx: Transaction,
  owner: MailboxOwner,
  fresh: readonly NewInput[],
  rejectIfBusy: boolean,
): void {
  const { sessionId, status } = owner;
  if (status === "quarantined") {
    throw new BerthError(
      "session_quarantined",
      `Session ${sessionId} is quarantined because it broke its worker: release it with berth sessions release.`,
    );
  }
  // An input that takes it out of the archive goes before the messages of the same change.
  const unarchives = fresh.some(({ body }) => body.type === "session.archive" && !body.archived);
  if (status === "archived" && !unarchives && fresh.some(isMessage)) {
    throw new BerthError(
      "session_archived",
      `Session ${sessionId} is archived: take it out of the archive first.`,
    );
  }
  if (rejectIfBusy && isBusy(tx, owner)) {
    throw new BerthError(
      "session_busy",
      `Session ${sessionId} has a run under way or waiting: send it again later.`,
      {
        retryable: true,
      },
    );
  }
}

function isBusy(tx: Transaction, owner: MailboxOwner): boolean {
  if (owner.currentRunId !== null || owner.status === "running" || owner.status === "waiting") return true;
  return (
    tx
      .sql("SELECT 1 FROM mailbox WHERE org_id = ? AND session_no = ? AND run_id IS NOT NULL LIMIT 1")
      .get(owner.orgId, owner.no) !== undefined
  );
}

function countWaiting(tx: Transaction, { orgId, no }: MailboxOwner): number {
  const row = tx
    .sql<{ waiting: number }>("SELECT count(*) AS waiting FROM mailbox WHERE org_id = ? AND session_no = ?")
    .get(orgId, no);
  return row?.waiting ?? 0;
}

function findByClientId(
  tx: Transaction,
  owner: MailboxOwner,
  clientId: string | null,
): AcceptedRecord | undefined {
  if (clientId === null) return undefined;
  return tx
    .sql<AcceptedRecord>(
      `SELECT input_id AS id, position, run_id AS runId FROM client_ids
        WHERE org_id = ? AND session_no = ? AND client_id = ?`,
    )
    .get(owner.orgId, owner.no, clientId);
}

function insertClientId(
  tx: Transaction,
  owner: MailboxOwner,
  clientId: string,
  record: AcceptedRecord,
): void {
  tx.sql(`INSERT INTO client_ids (org_id, session_no, client_id, input_id, position, run_id, accepted_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`).run(
    owner.orgId,
    owner.no,
    clientId,
    record.id,
    record.position,
    record.runId,
    tx.now,
  );
}

/** A message that starts a run gets the run's row as well, as queued. */
export function insertInput(
  tx: Transaction,
  { owner, input, position }: { owner: SessionRef & { no: number }; input: NewInput; position: number },
): void {
  tx.sql(`INSERT INTO mailbox (org_id, session_no, id, lane, position, run_id, accepted_at, traceparent, actor, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
    owner.orgId,
    owner.no,
    input.id,
    laneNumbers[input.lane],
    position,
    input.runId,
    tx.now,
    input.traceparent,
    JSON.stringify(input.actor),
    JSON.stringify(input.body),
  );
  if (input.runId === null || input.lane === "control") return;
  tx.sql(`INSERT INTO runs (org_id, id, session_id, status, created_at, owner, shared)
    SELECT org_id, ?, id, 'queued', ?, owner, visibility = 'org' FROM sessions WHERE no = ?`).run(
    input.runId,
    tx.now,
    owner.no,
  );
}

import { BerthError } from "../../../lib/errors.ts";
import type { AcceptedRecord, CreatedSession, NewSession, Outcome } from "../../store.ts";
import type { CreateSessionArgs } from "../protocol.ts";
import {
  findSessionRow,
  findSessionRowByKey,
  type SessionRow,
  sessionRecord,
} from "../queries/session-row.ts";
import type { Transaction } from "../transaction.ts";
import { acceptInputs, findMailboxOwner } from "./accept.ts";
import { insertBlock } from "./append.ts";
import { referToBlobs } from "./blobs.ts";
import { copyPrefix, sharePrefix } from "./fork.ts";
import { once } from "./idempotency.ts";
import { writeProjection } from "./projection.ts";
import { changeSession, searchText } from "./session-columns.ts";

const maxWaiting = 1_000;

export function createSession(tx: Transaction, args: CreateSessionArgs): Outcome<CreatedSession> {
  const { orgId, id: sessionId, owner, key } = args.row;
  return once(tx, { orgId, idempotency: args.idempotency }, () => {
    const existing = key === null ? undefined : findSessionRowByKey(tx.sql, { orgId, owner, key });
    if (existing !== undefined) {
      const { inputs: given, refusal } = args;
      const inputs = acceptAll(tx, { orgId, sessionId: existing.id, inputs: given, refusal });
      return { created: false, session: record(tx, orgId, existing.id), inputs };
    }
    insertSession(tx, args);
    const inputs = acceptAll(tx, { orgId, sessionId, inputs: args.inputs });
    return { created: true, session: record(tx, orgId, sessionId), inputs };
  });
}

function acceptAll(
  tx: Transaction,
  accepting: {
    orgId: string;
    sessionId: string;
    inputs: NewSession["inputs"];
    refusal?: NewSession["refusal"] | undefined;
  },
): AcceptedRecord[] {
  const { orgId, sessionId, inputs, refusal } = accepting;
  const owner = findMailboxOwner(tx, { orgId, sessionId });
  if (owner === undefined || inputs === undefined) return [];
  return acceptInputs(tx, owner, { inputs, rejectIfBusy: false, limit: maxWaiting, refusal });
}

function record(tx: Transaction, orgId: string, id: string) {
  const row = findSessionRow(tx.sql, orgId, id);
  if (row === undefined) throw new BerthError("internal", `session ${id} was written and cannot be read`);
  return sessionRecord(row);
}

function insertSession(tx: Transaction, args: CreateSessionArgs): void {
  const { row, fork, block } = args;
  const parent = fork === undefined ? undefined : findParent(tx, row.orgId, fork);
  const prefix = fork?.seq ?? 0;
  const no = insertRow(tx, args, prefix + block.count);
  if (parent !== undefined && fork !== undefined && prefix > 0) {
    if (fork.copy) copyPrefix(tx, { parent, no, seq: prefix });
    else sharePrefix(tx, { parent, no, seq: prefix });
  }
  if (block.count > 0) insertBlock(tx, { orgId: row.orgId, logNo: no, firstSeq: prefix + 1, block });
  if (args.projection !== undefined) {
    changeSession(tx, { no, status: row.status, currentRunId: row.currentRunId }, args.projection);
    writeProjection(tx, { orgId: row.orgId, sessionId: row.id, no }, args.projection);
  }
  if (args.blobs !== undefined) {
    referToBlobs(tx, { orgId: row.orgId, logNo: no, seq: prefix + 1, hashes: args.blobs });
  }
}

function findParent(tx: Transaction, orgId: string, fork: NonNullable<NewSession["fork"]>): SessionRow {
  const parent = findSessionRow(tx.sql, orgId, fork.sessionId);
  if (parent === undefined)
    throw new BerthError("session_not_found", `There is no session ${fork.sessionId}.`);
  if (fork.seq > parent.lastSeq) {
    throw new BerthError(
      "seq_not_found",
      `Session ${fork.sessionId} has no event ${fork.seq}: its last one is ${parent.lastSeq}.`,
    );
  }
  return parent;
}

function insertRow(tx: Transaction, { row }: CreateSessionArgs, lastSeq: number): number {
  tx.sql(
    `INSERT INTO sessions (org_id, id, last_seq, archived, status, current_run_id, created_at, updated_at, owner, key,
      agent_id, agent_version, agent_name, model, forked_from, forked_seq, usage, metadata, title, search, visibility)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)`,
  ).run(
    row.orgId,
    row.id,
    lastSeq,
    row.status === "archived" ? 1 : 0,
    row.status,
    row.currentRunId,
    tx.now,
    row.owner,
    row.key,
    row.agent.id,
    row.agent.version,
    row.agent.name,
    row.model,
    row.forkedFrom?.sessionId ?? null,
    row.forkedFrom?.seq ?? null,
    JSON.stringify(row.usage),
    JSON.stringify(row.metadata),
    row.title,
    searchText(row.title, row.key),
    row.visibility ?? "private",
  );
  const inserted = tx.sql<{ no: number }>("SELECT last_insert_rowid() AS no").get();
  return inserted?.no ?? 0;
}

import type { ArgsOf, OperationCall, OperationName, ResultOf } from "../protocol.ts";
import type { Transaction } from "../transaction.ts";
import { accept } from "./accept.ts";
import { archiveAgent, createAgent, putAgent } from "./agents.ts";
import { append } from "./append.ts";
import { collectBlobs, noteBlob } from "./blobs.ts";
import { claim, liftQuarantine, quarantine, release } from "./claim.ts";
import { createSession } from "./create-session.ts";
import { deleteSession } from "./delete-session.ts";
import { dropDeadLogs } from "./dead-logs.ts";
import { prune } from "./prune.ts";
import { putSnapshot } from "./snapshots.ts";
import { singleTenant } from "./tenants.ts";
import { fireTimers } from "./timers.ts";
import { heartbeat, removeWorker } from "./workers.ts";

type Handlers = { readonly [K in OperationName]: (tx: Transaction, args: ArgsOf<K>) => ResultOf<K> };

const handlers: Handlers = {
  append,
  accept,
  createSession,
  deleteSession,
  dropDeadLogs,
  putSnapshot,
  claim,
  release,
  quarantine,
  liftQuarantine,
  heartbeat,
  removeWorker,
  fireTimers,
  createAgent,
  putAgent,
  archiveAgent,
  noteBlob,
  collectBlobs,
  prune,
  singleTenant,
  ping: () => undefined,
};

/** Runs one operation inside the open transaction; throws BerthError when it is refused. */
export function runOperation<K extends OperationName>(
  tx: Transaction,
  call: OperationCall & { name: K },
): unknown {
  const handler = handlers[call.name] as (tx: Transaction, args: unknown) => unknown;
  return handler(tx, call.args);
}

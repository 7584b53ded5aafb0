import type { Projection } from "../records.ts";
import type { AppendOutcome, SessionCommit } from "../store.ts";
import type { AppendArgs, OperationCall, OperationReply, WriteError } from "./protocol.ts";
import type { StoreTime } from "./transaction.ts";

/**
 * A batch on its way to the writer thread. Appends travel as one JSON text of their heads and one text of all their
 * events; cloning 64 of them as objects took 106 us there against 44 us (300-byte events, 2-core AMD EPYC, Node 24).
 * An append's place in `calls` is null.
 */
export interface PackedBatch {
  readonly time: StoreTime;
  readonly calls: readonly (OperationCall | null)[];
  readonly heads: string;
  readonly bodies: string;
}

/** The fields of AppendArgs in order, the body's length in place of the body, 0 for what is not there. */
type Head = readonly [
  orgId: string,
  sessionId: string,
  epoch: number,
  expectedSeq: number,
  count: number,
  types: string,
  bodyLength: number,
  taken: readonly string[] | 0,
  projection: Projection | 0,
  blobs: readonly string[] | 0,
  maxEventVersion: number,
  settles: SessionCommit["settles"] | 0,
  reserves: SessionCommit["reserves"] | 0,
  takesNext: 0 | 1,
];

export function packBatch(time: StoreTime, calls: readonly OperationCall[]): PackedBatch {
  const heads: Head[] = [];
  const bodies: string[] = [];
  const others = calls.map((call) => {
    if (call.name !== "append") return call;
    heads.push(headOf(call.args));
    bodies.push(call.args.block.body);
    return null;
  });
  return { time, calls: others, heads: JSON.stringify(heads), bodies: bodies.join("") };
}

function headOf({ commit, block }: AppendArgs): Head {
  return [
    commit.orgId,
    commit.sessionId,
    commit.epoch,
    commit.expectedSeq,
    block.count,
    block.types,
    block.body.length,
    commit.taken.length === 0 ? 0 : commit.taken,
    commit.projection ?? 0,
    commit.blobs ?? 0,
    commit.maxEventVersion ?? 0,
    commit.settles ?? 0,
    commit.reserves ?? 0,
    commit.takesNext === true ? 1 : 0,
  ];
}

export function unpackBatch({ calls, heads, bodies }: PackedBatch): OperationCall[] {
  const appends = JSON.parse(heads) as Head[];
  let next = 0;
  let at = 0;
  return calls.map((call) => {
    if (call !== null) return call;
    const head = appends[next++] as Head;
    const body = bodies.slice(at, (at += head[6]));
    return { name: "append", args: argsOf(head, body) };
  });
}

function argsOf(head: Head, body: string): AppendArgs {
  const [orgId, sessionId, epoch, expectedSeq, count, types, , taken, projection, blobs, maxEventVersion] =
    head;
  const [settles, reserves, takesNext] = [head[11], head[12], head[13]];
  const commit = {
    orgId,
    sessionId,
    epoch,
    expectedSeq,
    taken: taken === 0 ? [] : taken,
    maxEventVersion,
    blobs: blobs === 0 ? [] : blobs,
    ...(settles !== 0 && settles !== undefined && { settles }),
    ...(reserves !== 0 && reserves !== undefined && { reserves }),
    ...(takesNext === 1 && { takesNext: true }),
  };
  return { commit: projection === 0 ? commit : { ...commit, projection }, block: { count, types, body } };
}

/**
 * An append's reply travels as true or the reason why not, and a batch of nothing but successful appends as null. What is to be told
 * of budgets travels whole.
 */
export type PackedReplies = readonly (OperationReply | PackedOutcome)[] | null;
type PackedOutcome = true | Exclude<Extract<AppendOutcome, { ok: false }>["reason"], "budget">;

export function packReplies(
  calls: readonly OperationCall[],
  replies: readonly OperationReply[],
): PackedReplies {
  const packed = replies.map((reply, index) => {
    if (calls[index]?.name !== "append" || !reply.ok) return reply;
    const outcome = reply.value as AppendOutcome;
    if (outcome.ok) return outcome.overruns === undefined ? true : reply;
    return outcome.reason === "budget" ? reply : outcome.reason;
  });
  return packed.every((reply) => reply === true) ? null : packed;
}

const appended: OperationReply = { ok: true, value: { ok: true } };

/** The reply at a place of its batch; undefined when the batch was shorter. */
export function unpackReply(replies: PackedReplies, index: number): OperationReply | undefined {
  if (replies === null) return appended;
  const reply = replies[index];
  if (reply === true) return appended;
  return typeof reply === "string" ? { ok: true, value: { ok: false, reason: reply } } : reply;
}

/** To the thread: a batch, or the end. */
export type ToThread = PackedBatch | null;

/** From the thread: that it is ready, why it is not, or a batch's replies in the order of its calls. */
export type FromThread =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly error: WriteError }
  | {
      readonly type: "batch";
      readonly replies: PackedReplies;
      readonly commitMs: number;
      /** Why nothing can be written; null while the last batch that wrote could. */
      readonly failing: WriteError | null;
    };

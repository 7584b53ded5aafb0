import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../src/lib/clock.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import { appendLane } from "../../../src/store/sqlite/append-lane.ts";
import { runBatch, startWriting } from "../../../src/store/sqlite/batch.ts";
import { Connection } from "../../../src/store/sqlite/connection.ts";
import { orgStores } from "../../../src/store/sqlite/org-store.ts";
import type {
  ArgsOf,
  OperationCall,
  OperationName,
  OperationReply,
  ResultOf,
} from "../../../src/store/sqlite/protocol.ts";
import { Reader } from "../../../src/store/sqlite/reader.ts";
import { sessionStore } from "../../../src/store/sqlite/session-store.ts";
import { systemStore } from "../../../src/store/sqlite/system-store.ts";
import { timeOf } from "../../../src/store/sqlite/transaction.ts";
import { packBatch, packReplies, unpackBatch, unpackReply } from "../../../src/store/sqlite/wire.ts";
import type { Writer } from "../../../src/store/sqlite/writer.ts";
import type { ClaimOutcome, Store } from "../../../src/store/store.ts";
import type { Random } from "../../chaos/random.ts";
import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";

/** Sees each operation that was committed, right after its commit. */
export type Witness = (call: OperationCall, reply: OperationReply) => void;

export interface Weather {
  /** How much longer commits take. */
  slowCommits(): boolean;
  /** True while nothing can be written. */
  storeDown(): boolean;
}

interface Waiting {
  readonly call: OperationCall;
  readonly resolve: (value: never) => void;
  readonly reject: (error: BerthError) => void;
}

/**
 * The one database of a world, in memory, and its writer: the store's own SQL and its own batches. Only the thread is simulated: what
 * comes while a batch is under way makes the next one.
 */
export class Database {
  readonly connection: Connection;
  readonly reader: Reader;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #weather: Weather;
  readonly #witness: Witness;
  readonly #afterBatch: () => void;
  #writing: Parameters<typeof runBatch>[0];
  /** What waits until somebody claims a session, by session. */
  /** Appends whose senders wait for an answer, by session and epoch. */
  readonly #writers = new Map<string, number>();
  readonly #untilClaimed = new Map<string, (() => void)[]>();
  #waiting: Waiting[] = [];
  #busy = false;

  constructor(options: {
    image: Uint8Array;
    scheduler: Scheduler;
    random: Random;
    clock: Clock;
    weather: Weather;
    witness: Witness;
    afterBatch: () => void;
  }) {
    const db = new DatabaseSync(":memory:");
    db.deserialize(options.image);
    this.connection = new Connection(db);
    this.reader = new Reader(this.connection);
    this.#scheduler = options.scheduler;
    this.#random = options.random;
    this.#clock = options.clock;
    this.#weather = options.weather;
    this.#witness = options.witness;
    this.#afterBatch = options.afterBatch;
    this.#writing = startWriting(this.connection);
  }

  /** What the writer thread keeps is gone, as after a restart of the store. */
  forget(): void {
    this.#writing = startWriting(this.connection);
  }

  /** Nobody waits for claims any more: what was stuck has come by itself. */
  forgetStuck(): void {
    this.#untilClaimed.clear();
  }

  close(): void {
    this.connection.close();
  }

  submit<K extends OperationName>(name: K, args: ArgsOf<K>): Promise<ResultOf<K>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call: { name, args } as OperationCall, resolve, reject });
      this.#schedule();
    });
  }

  /** Calls back right after the next claim of a session. */
  afterClaim(sessionId: string, call: () => void): void {
    this.#untilClaimed.set(sessionId, [...(this.#untilClaimed.get(sessionId) ?? []), call]);
  }

  /** The holder of a session waits for an append. Returns what ends that. */
  beginWriting(sessionId: string, epoch: number): () => void {
    const key = `${sessionId} ${epoch}`;
    this.#writers.set(key, (this.#writers.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#writers.get(key) ?? 0) - 1;
      if (left > 0) this.#writers.set(key, left);
      else this.#writers.delete(key);
    };
  }

  isWriting(sessionId: string, epoch: number): boolean {
    return this.#writers.has(`${sessionId} ${epoch}`);
  }

  #schedule(): void {
    if (this.#busy || this.#waiting.length === 0) return;
    this.#busy = true;
    const ms = 0.2 + this.#random.next() * (this.#weather.slowCommits() ? 2_000 : 2);
    this.#scheduler.after(ms, null, "commit", () => this.#commit());
  }

  #commit(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    this.#busy = false;
    if (this.#weather.storeDown()) for (const { reject } of batch) reject(down());
    else this.#run(batch);
    this.#schedule();
  }

  #freeStuck(sessionId: string, { ok }: ClaimOutcome): void {
    if (!ok) return;
    for (const call of this.#untilClaimed.get(sessionId) ?? []) call();
    this.#untilClaimed.delete(sessionId);
  }

  #run(batch: readonly Waiting[]): void {
    const packed = packBatch(
      timeOf(this.#clock),
      batch.map(({ call }) => call),
    );
    const calls = unpackBatch(packed);
    const { replies } = runBatch(this.#writing, calls, packed.time);
    const answers = packReplies(calls, replies);
    batch.forEach(({ resolve, reject }, index) => {
      const reply = unpackReply(answers, index);
      const call = calls[index];
      if (reply === undefined || call === undefined) throw new Error("a batch without its reply");
      this.#witness(call, reply);
      if (reply.ok && call.name === "claim")
        this.#freeStuck(call.args.sessionId, reply.value as ClaimOutcome);
      if (reply.ok) return resolve(reply.value as never);
      const { code, message, ...rest } = reply.error;
      reject(new BerthError(code, message, rest));
    });
    this.#afterBatch();
  }
}

/** The session that an operation of its holder is about. */
function sessionOf({ name, args }: OperationCall): string | null {
  if (name === "append") return args.commit.sessionId;
  return name === "release" || name === "reserve" || name === "putSnapshot" ? args.sessionId : null;
}

function down(): BerthError {
  return new BerthError("disk_full", "The simulated disk is full.", { retryable: true });
}

/** The store as one life of a process has it: each statement and each operation goes out through its gate. */
export function storeOf(database: Database, life: Life, clock: Clock): Store {
  /** Notes an append until its sender has the answer, or is no more. */
  function noteWriting<T>(call: OperationCall, answered: Promise<T>): Promise<T> {
    if (call.name !== "append") return answered;
    const { sessionId, epoch } = call.args.commit;
    const finished = database.beginWriting(sessionId, epoch);
    const forget = life.atEnd(finished);
    const end = () => {
      forget();
      finished();
    };
    answered.then(end, end);
    return answered;
  }

  const writer = {
    run: <K extends OperationName>(name: K, args: ArgsOf<K>) => {
      const call = { name, args } as OperationCall;
      const sessionId = sessionOf(call);
      const answered = life.call(
        name,
        () => {
          if (name === "heartbeat" && life.deafUntil > life.clock.monotonic()) throw down();
          return database.submit(name, args);
        },
        // What its holder sent comes when somebody else has it.
        (arrive) => sessionId !== null && database.afterClaim(sessionId, arrive),
      );
      return noteWriting(call, answered);
    },
  } as unknown as Writer;
  const reader = {
    read: (work: Parameters<Reader["read"]>[0]) => life.read("read", () => database.reader.read(work)),
    readTogether: (work: Parameters<Reader["readTogether"]>[0]) =>
      life.read("read", () => database.reader.readTogether(work)),
  } as unknown as Reader;
  return {
    kind: "simulated",
    org: orgStores({ writer, reader, clock }),
    session: (orgId, sessionId) => sessionStore({ writer, reader, ref: { orgId, sessionId } }),
    lane: appendLane(writer),
    system: systemStore({ writer, reader, clock }),
    async close() {},
  };
}

import type { SessionEvent } from "@berth/contract";
import { encodeState } from "../../../src/session/snapshot.ts";
import { stateVersion } from "../../../src/session/state.ts";
import type {
  ArgsOf,
  OperationCall,
  OperationName,
  OperationReply,
  ResultOf,
} from "../../../src/store/sqlite/protocol.ts";
import type { ClaimOutcome } from "../../../src/store/store.ts";
import type { Connection } from "../../../src/store/sqlite/connection.ts";
import { Book } from "./book.ts";
import { DefinitionBook } from "./definitions.ts";
import { Recent } from "./recent.ts";
import { checkRow } from "./row.ts";
import { must } from "./violation.ts";

export interface LedgerHooks {
  /** Each event that was committed. */
  readonly onEvent: (book: Book, event: SessionEvent) => void;
  /** What is going on for a session in the process that holds it: tools and model calls. */
  readonly underWay: (sessionId: string, epoch: number) => readonly string[];
  /** Its holder waits for a commit. */
  readonly isWriting: (sessionId: string, epoch: number) => boolean;
  /** Milliseconds that a worker that is being drained has left for a session; 0 when it is not, or when it only seems to hold it. */
  readonly drainLeft: (workerId: string, sessionId: string) => number;
  /** How often something happened. */
  readonly count: (what: string) => void;
  /** Milliseconds that never go back: leases do not follow wall clocks. */
  readonly steady: () => number;
}

type Seen = { readonly [K in OperationName]?: (args: ArgsOf<K>, value: ResultOf<K>) => void };

/** What was committed, of all sessions: the one that knows the truth. Sees every operation right after its commit. */
export class Ledger {
  readonly books = new Map<string, Book>();
  readonly definitions: DefinitionBook;
  /** Of workers: when the store took their last one. */
  readonly #heartbeats = new Map<string, number>();
  /** Idempotency keys of requests that were done. */
  readonly #keys = new Recent<string>();
  /** Sessions that operations of the batch changed. */
  readonly #touched = new Set<Book>();
  /** Timers that fired, but those of budgets: each is set once. */
  readonly #fired = new Recent<string>();
  /** Sessions that were deleted when it last forgot. */
  #deleted: readonly string[] = [];
  readonly #hooks: LedgerHooks;
  readonly #sql: Connection["sql"];
  readonly #seen: Seen;

  constructor(sql: Connection["sql"], hooks: LedgerHooks) {
    this.#sql = sql;
    this.definitions = new DefinitionBook(sql);
    this.#hooks = hooks;
    this.#seen = {
      append: (args, value) => value.ok && this.#append(args),
      accept: (args, { result, replayed }) => {
        if (replayed) return;
        this.#once(args);
        this.#accept(this.book(args.sessionId), args.inputs, result);
      },
      createSession: (args, value) => this.#create(args, value),
      deleteSession: ({ sessionId }, deleted) => {
        if (deleted) this.book(sessionId).deleted = true;
      },
      updateBudget: (_, changed) => {
        for (const { id } of changed?.woken ?? []) this.#released(id);
      },
      fireTimers: ({ inputIds }) => this.#fireTimers(inputIds),
      heartbeat: (workerId) => void this.#heartbeats.set(workerId, Math.floor(hooks.steady())),
      removeWorker: (workerId) => this.#leave(workerId),
      claim: (args, value) => this.#claim(args, value),
      release: ({ sessionId, epoch, withInputs = false }, released) => {
        if (released) this.#release(this.book(sessionId), epoch, withInputs);
      },
      quarantine: ({ sessionId, epoch }) => {
        const book = this.book(sessionId);
        must(
          book.epoch !== epoch || book.deleted,
          "fold",
          () => `${sessionId} could not be read and was quarantined`,
        );
      },
      reserve: ({ sessionId, epoch, reserves, settles }, value) => {
        if (!value.ok && value.reason === "budget" && reserves.some(({ kind }) => kind === "compaction"))
          hooks.count("summary over its budget");
        if (!value.ok) return;
        const { spending, epoch: held, holder } = this.book(sessionId);
        must(
          epoch === held && holder !== null,
          "I2",
          () => `${sessionId}: epoch ${epoch} begins a call while ${held} holds it`,
        );
        spending.committed([], settles);
        spending.begun(reserves);
      },
      putSnapshot: (args) => this.#snapshot(args),
      createAgent: () => this.definitions.readAll(),
      putAgent: () => this.definitions.readAll(),
      archiveAgent: () => this.definitions.readAll(),
    };
  }

  /** Lets go of what was over when it was called last, and of what no request repeats any more. */
  forget(): void {
    for (const id of this.#deleted) this.books.delete(id);
    this.#deleted = [...this.books.values()].filter(({ deleted }) => deleted).map(({ id }) => id);
    this.#keys.age();
    this.#fired.age();
  }

  witness(call: OperationCall, reply: OperationReply): void {
    if (!reply.ok) return;
    const seen = this.#seen[call.name] as ((args: unknown, value: unknown) => void) | undefined;
    seen?.(call.args, reply.value);
  }

  /** Called after each batch: the rows of what it changed say what its operations said. */
  checkRows(): void {
    for (const book of this.#touched) if (!book.deleted) checkRow(this.#sql, book);
    this.#touched.clear();
  }

  book(sessionId: string): Book {
    const book = this.books.get(sessionId);
    must(book !== undefined, "I1", () => `there is no session ${sessionId}`);
    return book;
  }

  #append({ commit, block }: ArgsOf<"append">): void {
    const book = this.book(commit.sessionId);
    const jsons = block.count === 0 ? [] : block.body.split("\n");
    const wasCompacted = book.context.isCompacted;
    const events = book.append({ ...commit, jsons });
    if (book.spending.committed(events, commit.settles ?? []))
      this.#hooks.count("summary ended with its run");
    const rewound = events.some(({ type }) => type === "session.rewound");
    if (rewound && wasCompacted && !book.context.isCompacted) this.#hooks.count("rewound over a summary");
    this.#touched.add(book);
    for (const event of events) this.#hooks.onEvent(book, event);
  }

  #accept(book: Book, inputs: ArgsOf<"accept">["inputs"], accepted: readonly { id: string }[]): void {
    const taken = new Set(accepted.map(({ id }) => id));
    for (const { id, lane, body, clientId } of inputs) {
      if (taken.has(id)) book.accept({ id, lane, type: body.type, clientId });
    }
  }

  /** I3: what was asked with one key is done once. */
  #once({ idempotency }: Pick<ArgsOf<"accept">, "idempotency">): void {
    if (idempotency === undefined) return;
    const key = `${idempotency.scope} ${idempotency.key}`;
    must(!this.#keys.has(key), "I3", () => `the request with the key ${key} was done twice`);
    this.#keys.add(key);
  }

  #create(args: ArgsOf<"createSession">, { result, replayed }: ResultOf<"createSession">): void {
    if (replayed) return;
    this.#once(args);
    const { session } = result;
    if (result.created) {
      must(!this.books.has(session.id), "I1", () => `session ${session.id} was made twice`);
      const prefix =
        args.fork === undefined ? [] : this.book(args.fork.sessionId).jsons.slice(0, args.fork.seq);
      const own = args.block.count === 0 ? [] : args.block.body.split("\n");
      const book = new Book(session.id, this.definitions, [...prefix, ...own]);
      this.books.set(session.id, book);
      if (book.context.isCompacted) this.#hooks.count("forked behind a summary");
    }
    this.#accept(this.book(session.id), args.inputs ?? [], result.inputs);
  }

  /** A budget that the session waited for was changed: it is told. */
  #released(sessionId: string): void {
    const book = this.book(sessionId);
    const rows = this.#sql<{ id: string }>(
      `SELECT m.id FROM mailbox m JOIN sessions s ON s.no = m.session_no
        WHERE s.id = ? AND m.body ->> '$.type' = 'budget.released' ORDER BY m.position`,
    ).all(sessionId);
    for (const { id } of rows)
      if (!book.inputs.has(id)) book.accept({ id, lane: "control", type: "budget.released", clientId: null });
  }

  #fireTimers(inputIds: readonly string[]): void {
    const rows = this.#sql<{ id: string; sessionId: string; kind: string; ref: string }>(
      `SELECT m.id, s.id AS sessionId, m.body ->> '$.kind' AS kind, m.body ->> '$.ref' AS ref FROM mailbox m JOIN sessions s ON s.no = m.session_no
        WHERE m.id IN (SELECT value FROM json_each(?)) ORDER BY m.position`,
    ).all(JSON.stringify(inputIds));
    for (const { id, sessionId, kind, ref } of rows) {
      must(!this.#fired.has(ref), "timer", () => `${sessionId}: the ${kind} timer of ${ref} fired twice`);
      if (kind !== "budget") this.#fired.add(ref);
      this.book(sessionId).accept({ id, lane: "control", type: "timer", clientId: null });
    }
  }

  #claim({ sessionId, workerId, leaseMs }: ArgsOf<"claim">, value: ClaimOutcome): void {
    if (!value.ok) return;
    const book = this.book(sessionId);
    const { holder } = book;
    const silentSince = this.#heartbeats.get(holder ?? "") ?? Number.NEGATIVE_INFINITY;
    must(
      holder === null || holder === workerId || silentSince <= this.#hooks.steady() - leaseMs,
      "I2",
      () => `${sessionId}: ${workerId} claimed it from ${holder}, which is alive`,
    );
    must(
      value.epoch === book.epoch + 1,
      "I2",
      () => `${sessionId}: epoch ${value.epoch} follows ${book.epoch}`,
    );
    must(!book.deleted, "I2", () => `${sessionId} was claimed after it was deleted`);
    book.claims += 1;
    must(
      value.claimsWithoutEvent === book.claims,
      "poison",
      () => `${sessionId}: ${value.claimsWithoutEvent} claims without an event are ${book.claims}`,
    );
    if (book.hibernates) this.#hooks.count("woken from waiting");
    if (book.spending.claimed()) this.#hooks.count("summary lost with its holder");
    book.hibernates = false;
    book.epoch = value.epoch;
    book.holder = workerId;
    this.#touched.add(book);
  }

  /** A worker ended in good order: nobody holds what it held. */
  #leave(workerId: string): void {
    this.#heartbeats.delete(workerId);
    for (const book of this.books.values()) {
      if (book.holder !== workerId) continue;
      const { run } = book.state;
      const leftMs = this.#hooks.drainLeft(workerId, book.id);
      must(
        leftMs <= 0 || run === null || run.waitingSince !== null,
        "I13",
        () => `${workerId} left ${book.id} while its run went on, ${leftMs} ms before it had to`,
      );
      if (leftMs > 0) this.#mustNotWrite(book, "left by its worker");
      this.#mustBeQuiet(book, "left by its worker");
      book.giveBack();
      this.#touched.add(book);
    }
  }

  #release(book: Book, epoch: number, withInputs: boolean): void {
    const { run } = book.state;
    must(
      epoch === book.epoch,
      "I2",
      () => `${book.id}: epoch ${epoch} gave it back while ${book.epoch} holds it`,
    );
    must(
      withInputs || book.open === 0,
      "I13",
      () => `${book.id} was given back with ${book.open} inputs that wait`,
    );
    must(
      withInputs || run === null || run.waitingSince !== null,
      "I13",
      () => `${book.id} was given back while its run goes on`,
    );
    this.#mustNotWrite(book, "given back");
    this.#mustBeQuiet(book, "given back");
    book.giveBack();
    if (book.hibernates) this.#hooks.count("hibernates while it waits");
    this.#touched.add(book);
  }

  #mustNotWrite({ id, epoch }: Book, what: string): void {
    must(!this.#hooks.isWriting(id, epoch), "I13", () => `${id} was ${what} while it was being written`);
  }

  #mustBeQuiet(book: Book, what: string): void {
    const busy = this.#hooks.underWay(book.id, book.epoch);
    must(busy.length === 0, "I13", () => `${book.id} was ${what} while ${busy.join()} went on`);
  }

  #snapshot({ sessionId, seq, epoch, stateVersion: version, body }: ArgsOf<"putSnapshot">): void {
    const book = this.books.get(sessionId);
    if (book === undefined || book.deleted || book.epoch !== epoch || version !== stateVersion) return;
    must(seq <= book.raw.length, "I8", () => `${sessionId} has a snapshot at ${seq}, ahead of its log`);
    must(
      body === encodeState(book.stateAt(seq)),
      "I8",
      () => `the snapshot of ${sessionId} at ${seq} is not the fold of its log`,
    );
  }
}

import { Worker } from "node:worker_threads";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type {
  ArgsOf,
  OperationCall,
  OperationName,
  ResultOf,
  ThreadOptions,
  WriteError,
} from "./protocol.ts";
import { asStoreError, storeClosed } from "./sqlite-error.ts";
import { timeOf } from "./transaction.ts";
import { type FromThread, packBatch, type PackedReplies, type ToThread, unpackReply } from "./wire.ts";

export interface CommitStats {
  /** Operations that shared the transaction. */
  readonly operations: number;
  /** How long COMMIT took, the disk's fsync included. */
  readonly commitMs: number;
  /** From handing the batch to the thread until its answer was here. */
  readonly totalMs: number;
}

/** Told when nothing can be written any more, and why; null when it can be again. Must not throw. */
export type OnFailing = (failing: BerthError | null) => void;

interface WriterOptions extends ThreadOptions {
  readonly clock: Clock;
  readonly onCommit: ((stats: CommitStats) => void) | undefined;
  readonly onFailing: OnFailing | undefined;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: BerthError) => void;
}

/**
 * The main thread's side of the writer thread. While a batch is in flight, operations collect; the whole of them is the
 * next batch. The first one waits for the end of the event loop's turn, so that what one turn asks for shares one fsync.
 */
export class Writer {
  readonly #thread: Worker;
  readonly #clock: Clock;
  readonly #onCommit: ((stats: CommitStats) => void) | undefined;
  readonly #onFailing: OnFailing | undefined;
  readonly #exited: Promise<void>;
  #calls: OperationCall[] = [];
  #waiting: Waiting[] = [];
  #inFlight: Waiting[] = [];
  #sentAt = 0;
  #scheduled = false;
  #stopped: BerthError | null = null;
  #failing: BerthError | null = null;
  #idle: (() => void) | null = null;

  private constructor(thread: Worker, { clock, onCommit, onFailing }: WriterOptions) {
    this.#thread = thread;
    this.#clock = clock;
    this.#onCommit = onCommit;
    this.#onFailing = onFailing;
    this.#exited = new Promise((resolve) => thread.once("exit", () => resolve()));
    thread.on("message", (message: FromThread) => {
      if (message.type !== "batch") return;
      // Before those are told who asked: what they make of it is said after the cause.
      this.#note(message.failing);
      this.#settle(message.replies, message.commitMs);
    });
    thread.on("error", (error) => this.#die(`broken (${error.message}); restart Berth`));
    thread.on("exit", () => this.#die("broken (its writer thread ended); restart Berth"));
  }

  /** Resolves when the thread has opened the database; rejects with what hindered it. */
  static start(options: WriterOptions): Promise<Writer> {
    const { path, failpoint } = options;
    const workerData: ThreadOptions = { path, failpoint };
    const thread = new Worker(new URL("./writer-thread.ts", import.meta.url), {
      workerData,
      name: "store-writer",
    });
    const writer = new Writer(thread, options);
    return new Promise((resolve, reject) => {
      thread.once("message", (message: FromThread) => {
        if (message.type === "ready") resolve(writer);
        else if (message.type === "failed") reject(asBerthError(message.error));
      });
      thread.once("error", reject);
    });
  }

  run<K extends OperationName>(name: K, args: ArgsOf<K>): Promise<ResultOf<K>> {
    return new Promise((resolve, reject) => {
      if (this.#stopped !== null) return reject(this.#stopped);
      this.#calls.push({ name, args } as OperationCall);
      this.#waiting.push({ resolve, reject });
      this.#schedule();
    });
  }

  /** Throws why the last batch that had something to write could not. */
  assertWrites(): void {
    if (this.#failing !== null) throw this.#failing;
  }

  /** Commits what was asked for until now, closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#stopped === null) {
      this.#stopped = storeClosed("closed");
      if (this.#waiting.length > 0 || this.#inFlight.length > 0) {
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      }
      this.#post(null);
    }
    await this.#exited;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight.length > 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.#calls;
    this.#inFlight = this.#waiting;
    this.#calls = [];
    this.#waiting = [];
    this.#sentAt = performance.now();
    try {
      this.#post(packBatch(timeOf(this.#clock), calls));
    } catch (thrown) {
      // Something that cannot travel to a thread: a mistake of a caller, which must not stop the rest for good.
      const failed = this.#inFlight;
      this.#inFlight = [];
      for (const waiting of failed) waiting.reject(asStoreError(thrown));
      this.#goOn();
    }
  }

  #post(message: ToThread): void {
    this.#thread.postMessage(message);
  }

  #note(failing: WriteError | null): void {
    const changed = failing?.code !== this.#failing?.code || failing?.message !== this.#failing?.message;
    if (!changed) return;
    this.#failing = failing === null ? null : asBerthError(failing);
    this.#onFailing?.(this.#failing);
  }

  #settle(replies: PackedReplies, commitMs: number): void {
    const done = this.#inFlight;
    this.#inFlight = [];
    done.forEach((waiting, index) => {
      const reply = unpackReply(replies, index);
      if (reply?.ok === true) waiting.resolve(reply.value as never);
      else waiting.reject(reply === undefined ? storeClosed("broken") : asBerthError(reply.error));
    });
    this.#onCommit?.({ operations: done.length, commitMs, totalMs: performance.now() - this.#sentAt });
    this.#goOn();
  }

  #goOn(): void {
    if (this.#waiting.length > 0) this.#schedule();
    else this.#idle?.();
  }

  /** The thread is gone: whether its last batch was committed is not known, so its callers must read before they repeat. */
  #die(why: string): void {
    this.#stopped ??= storeClosed(why);
    const lost = [...this.#inFlight, ...this.#waiting];
    this.#inFlight = [];
    this.#waiting = [];
    this.#calls = [];
    for (const waiting of lost) waiting.reject(this.#stopped);
    this.#idle?.();
  }
}

function asBerthError({ code, message, retryable, details }: WriteError): BerthError {
  return new BerthError(code, message, { retryable, details });
}

import { Worker } from "node:worker_threads";

export interface MeasureJob {
  readonly root: string;
  /** It is enough to know that there is more than this. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export interface Measured {
  /** On disk. */
  readonly bytes: number;
  /** Files and folders. */
  readonly files: number;
  /** False: there is more, because a limit was reached or the tree was changed in between. */
  readonly complete: boolean;
  /** What the walk took, without waiting for others' to end. */
  readonly tookMs: number;
}

export type MeasureReport =
  | { readonly number: number; readonly measured: Measured }
  | { readonly number: number; readonly failed: string };

interface Waiting {
  resolve(measured: Measured): void;
  reject(thrown: Error): void;
}

/** Measures folders in one thread of its own, one after another, so that it takes a processor at most. */
export class Measurer {
  readonly #waiting = new Map<number, Waiting>();
  #thread: Worker | null = null;
  #number = 0;

  /** What a folder takes on disk and how many files and folders are in it. A file with several names counts its bytes once. */
  measure(job: MeasureJob): Promise<Measured> {
    const thread = (this.#thread ??= this.#start());
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      thread.postMessage({ ...job, number });
    });
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #start(): Worker {
    const thread = new Worker(new URL("./measure-worker.ts", import.meta.url), {
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    thread.unref();
    thread.on("message", (report: MeasureReport) => {
      const waiting = this.#waiting.get(report.number);
      this.#waiting.delete(report.number);
      if ("measured" in report) waiting?.resolve(report.measured);
      else waiting?.reject(new Error(report.failed));
    });
    let cause: unknown = null;
    thread.once("error", (thrown) => (cause = thrown));
    thread.once("exit", () => {
      if (this.#thread === thread) this.#thread = null;
      for (const waiting of this.#waiting.values())
        waiting.reject(new Error("the measuring of a workspace was stopped", { cause }));
      this.#waiting.clear();
    });
    return thread;
  }
}

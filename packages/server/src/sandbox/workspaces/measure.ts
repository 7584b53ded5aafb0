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
}

/** What a folder takes on disk and how many files and folders are in it. A file with several names counts its bytes once. */
export async function measure(job: MeasureJob, signal?: AbortSignal): Promise<Measured> {
  signal?.throwIfAborted();
  const thread = new Worker(new URL("./measure-worker.ts", import.meta.url), {
    workerData: job,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  });
  const stop = () => void thread.terminate();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<Measured>((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
      thread.once("exit", () => reject(new Error("the measuring of a workspace was stopped")));
    });
  } finally {
    signal?.removeEventListener("abort", stop);
    await thread.terminate();
  }
}

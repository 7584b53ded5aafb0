import { Worker } from "node:worker_threads";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { GrepMatch } from "../sandbox.ts";

const maxPattern = 1_000;
const maxItems = 10_000;
const maxThreads = 4;

export interface SearchFor {
  readonly root: string;
  /** The folder of the workspace that paths are relative to. */
  readonly base?: readonly string[];
  /** The folder to search, as names from there. */
  readonly path: readonly string[];
  readonly pattern: string;
  readonly limit: number;
  readonly glob?: string;
  readonly ignoreCase?: boolean;
  readonly signal?: AbortSignal;
}

export interface SearchJob extends Omit<SearchFor, "signal"> {
  readonly kind: "glob" | "grep";
  /** Milliseconds since 1970 after which the thread ends by itself, between two files. */
  readonly endsAt: number;
}

export type SearchReport =
  | { readonly type: "items"; readonly items: readonly unknown[] }
  | { readonly type: "done"; readonly truncated: boolean }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

interface Page<T> {
  readonly items: readonly T[];
  readonly truncated: boolean;
}

/** Finds files by name and by content in a thread of its own, so that no pattern can stall the server. */
export interface Search {
  glob(search: SearchFor): Promise<Page<string>>;
  grep(search: SearchFor): Promise<Page<GrepMatch>>;
  close(): Promise<void>;
}

/** `timeLimitMs`: how long one search may take; what was found by then is given, with `truncated`. */
export function createSearch({ clock, timeLimitMs = 5_000 }: { clock: Clock; timeLimitMs?: number }): Search {
  const threads = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let taken = 0;
  let closed = false;

  async function search<T>(kind: SearchJob["kind"], { signal, ...what }: SearchFor): Promise<Page<T>> {
    for (const pattern of [what.pattern, what.glob ?? ""]) {
      if (pattern.length > maxPattern) {
        throw new BerthError("pattern_invalid", `A pattern can have at most ${maxPattern} characters.`);
      }
    }
    if (taken >= maxThreads) await new Promise<void>((resolve) => waiting.push(resolve));
    else taken++;
    try {
      if (closed || signal?.aborted) throw aborted();
      const limit = Math.min(Math.max(1, what.limit), maxItems);
      const job: SearchJob = { ...what, kind, limit, endsAt: Date.now() + timeLimitMs };
      return await runThread<T>({ job, threads, clock, timeLimitMs, ...(signal && { signal }) });
    } finally {
      const next = waiting.shift();
      if (next === undefined) taken--;
      else next();
    }
  }

  return {
    glob: (what) => search<string>("glob", what),
    grep: (what) => search<GrepMatch>("grep", what),
    async close() {
      closed = true;
      await Promise.all([...threads].map((thread) => thread.terminate()));
    },
  };
}

interface ThreadRun {
  readonly job: SearchJob;
  readonly threads: Set<Worker>;
  readonly clock: Clock;
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal;
}

async function runThread<T>({ job, threads, clock, timeLimitMs, signal }: ThreadRun): Promise<Page<T>> {
  const items: T[] = [];
  const thread = new Worker(new URL("./search-worker.ts", import.meta.url), {
    workerData: job,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  });
  threads.add(thread);
  const stop = () => void thread.terminate();
  let late = false;
  const timer = clock.after(timeLimitMs + 250, () => {
    late = true;
    stop();
  });
  signal?.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise<Page<T>>((resolve, reject) => {
      thread.on("message", (message: SearchReport) => {
        if (message.type === "items") items.push(...(message.items as T[]));
        else if (message.type === "done") resolve({ items, truncated: message.truncated });
        else reject(new BerthError(message.code, message.message));
      });
      thread.once("error", (cause) =>
        reject(new BerthError("search_failed", "The search ran out of memory.", { cause })),
      );
      thread.once("exit", () => {
        if (!late) reject(aborted());
        else if (items.length > 0) resolve({ items, truncated: true });
        else reject(tooSlow(timeLimitMs));
      });
    });
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", stop);
    await thread.terminate();
    threads.delete(thread);
  }
}

function aborted(): BerthError {
  return new BerthError("aborted", "The search was stopped before it ended.");
}

function tooSlow(ms: number): BerthError {
  return new BerthError(
    "search_timeout",
    `The search took longer than ${ms / 1000} s; use a simpler pattern or a smaller folder.`,
  );
}

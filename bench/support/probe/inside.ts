// Preloaded into a server under measurement: answers on a Unix socket what its process holds, after garbage collection. The server
// itself is the one that users run; it knows nothing of this.
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { getHeapStatistics } from "node:v8";
import { isMainThread } from "node:worker_threads";

export interface Probed {
  /** What the main thread holds after garbage collection: heap and memory outside of it, bytes. */
  readonly heldBytes: number;
  readonly residentBytes: number;
  /** Native contexts and what keeps the process alive, by kind. */
  readonly contexts: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly openFiles: number;
}

const path = process.env["BENCH_PROBE"];
if (isMainThread && path !== undefined) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    void probe().then((probed) => socket.end(JSON.stringify(probed)));
  });
  server.listen(path);
  server.unref();
}

/** Collects until nothing more is freed. */
async function probe(): Promise<Probed> {
  let heldBytes = Number.POSITIVE_INFINITY;
  for (let left = 10; left > 0; left--) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    const before = heldBytes;
    heldBytes = heapUsed + external;
    if (before - heldBytes < 20_000) break;
  }
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    heldBytes,
    residentBytes: process.memoryUsage.rss(),
    contexts: getHeapStatistics().number_of_native_contexts,
    resources,
    openFiles: readdirSync("/proc/self/fd").length,
  };
}

// Preloaded into a server under measurement: answers on a Unix socket what its process holds, after garbage collection. The server
// itself is the one that users run; it knows nothing of this. Not TypeScript: the stripper would be 36 MB of what is measured.
import { createHook } from "node:async_hooks";
import { readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { getHeapStatistics } from "node:v8";
import { BroadcastChannel, isMainThread } from "node:worker_threads";

const path = process.env.BENCH_PROBE;
const timers = new Set();
/** Threads have heaps of their own, which nobody else can collect: the one that writes has to be asked. */
const threads = path === undefined ? null : new BroadcastChannel("bench-probe");
threads?.unref();
const threadsMs = 300;
// Not in the processes that the server starts, nor in those that make its build.
if (isMainThread && path !== undefined && process.argv[2] === "serve") {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    void probe().then((probed) => socket.end(JSON.stringify(probed)));
  });
  if (process.env.BENCH_PROBE_TIMERS === "true") countTimers();
  // A build that is not fresh puts a new one in its place, in the same process.
  rmSync(path, { force: true });
  server.listen(path);
  server.unref();
} else if (threads !== null && !isMainThread) {
  threads.addEventListener("message", ({ data }) => {
    if (data !== "collect") return;
    globalThis.gc();
    threads.postMessage(process.memoryUsage().heapTotal);
  });
  threads.unref();
}

/** Also those that do not keep the process alive, which nothing else tells of. */
function countTimers() {
  createHook({
    init(id, type) {
      if (type === "Timeout") timers.add(id);
    },
    destroy: (id) => timers.delete(id),
    trackPromises: false,
  }).enable();
}

/** Has the other threads collect; resolves with what their heaps have taken together, of those that answer in time. Bytes. */
async function collectThreads() {
  let committed = 0;
  const take = ({ data }) => {
    if (typeof data === "number") committed += data;
  };
  threads.addEventListener("message", take);
  threads.unref();
  threads.postMessage("collect");
  await new Promise((resolve) => setTimeout(resolve, threadsMs));
  threads.removeEventListener("message", take);
  return committed;
}

/** Collects until nothing more is freed. */
async function probe() {
  const threadBytes = await collectThreads();
  let heldBytes = Number.POSITIVE_INFINITY;
  for (let left = 10; left > 0; left--) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    const before = heldBytes;
    heldBytes = heapUsed + external;
    if (before - heldBytes < 20_000) break;
  }
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return {
    heldBytes,
    committedBytes: process.memoryUsage().heapTotal,
    threadBytes,
    residentBytes: process.memoryUsage.rss(),
    contexts: getHeapStatistics().number_of_native_contexts,
    resources,
    openFiles: readdirSync("/proc/self/fd").length,
    timers: timers.size,
  };
}

// Setup file of every test project: a test file fails when something that it started is still running after it.
// Node announces each child process, worker thread and listening server on a diagnostics channel, unref'd ones too.
import type { ChildProcess } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import type { Server } from "node:net";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { afterAll } from "vitest";

/** How long an exit that is under way may take, in milliseconds. */
const graceMs = 10_000;

const children = new Set<ChildProcess>();
const workers = new Set<Worker>();
const servers = new Set<Server>();

diagnostics.subscribe("child_process", (message) => {
  children.add((message as { process: ChildProcess }).process);
});
diagnostics.subscribe("worker_threads", (message) => {
  workers.add((message as { worker: Worker }).worker);
});
diagnostics.tracingChannel<unknown, { server: Server }>("net.server.listen").asyncEnd.subscribe((message) => {
  servers.add((message as { server: Server }).server);
});

function running(): string[] {
  const left: string[] = [];
  for (const child of children) {
    const started = child.pid !== undefined;
    if (started && child.exitCode === null && child.signalCode === null) {
      left.push(`child process ${child.pid}: ${child.spawnargs.join(" ")}`);
    }
  }
  for (const worker of workers) if (worker.threadId !== -1) left.push(`worker thread ${worker.threadId}`);
  for (const server of servers) {
    if (server.listening) left.push(`server listening on ${JSON.stringify(server.address())}`);
  }
  return left;
}

afterAll(async () => {
  const deadline = Date.now() + graceMs;
  while (running().length > 0 && Date.now() < deadline) await sleep(10);
  // Where the process stood still until then, it has not yet been told of what ended meanwhile.
  for (let turns = 0; turns < 2; turns += 1) await turn();
  const left = running();
  if (left.length > 0) throw new Error(`this test file left running:\n  ${left.join("\n  ")}`);
});

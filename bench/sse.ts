// T8: memory of idle event-stream clients, and the time until one event has reached all of them, against a plain node:http server
// in the same run. Each server runs in a process of its own, a new one in each round; the clients are sockets of this process.
//   npm run bench -- sse [--clients 1000] [--events 200] [--rounds 5] [--json file]
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { newId } from "../packages/server/src/lib/id.ts";
import { about } from "./support/about.ts";
import { median } from "./support/machine.ts";
import { readOptions } from "./support/options.ts";
import { cpuMs } from "./support/process-use.ts";
import type { Memory, Question, Told } from "./support/sse/side.ts";
import { tell } from "./support/tell.ts";

const options = readOptions({ clients: 1_000, events: 200, rounds: 5 });
const { clients, events, rounds } = options;

const key = "brt_key-of-the-sse-bench";
const sessionId = newId("session");
const contenders = {
  "node:http": new URL("./support/sse/floor.ts", import.meta.url),
  berth: new URL("./support/sse/berth.ts", import.meta.url),
} as const;
type Name = keyof typeof contenders;

interface Figures {
  /** KiB for each idle client. */
  readonly held: number;
  readonly resident: number;
  /** Milliseconds until the last client had an event, median of the events. */
  readonly lastMs: number;
  /** Server CPU milliseconds for an event to all clients. */
  readonly cpu: number;
}

/** Clients that count the events that they get. */
function openClients(port: number, count: number): Promise<{ arrived(): Promise<number>; close(): void }> {
  let seen = 0;
  let wanted = 0;
  let resolve: ((at: number) => void) | null = null;
  let greeted = 0;
  const sockets: Socket[] = [];
  const request = `GET /api/v1/sessions/${sessionId}/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${key}\r\n\r\n`;
  const { promise, resolve: ready } = Promise.withResolvers<Awaited<ReturnType<typeof openClients>>>();
  const all = {
    arrived(): Promise<number> {
      wanted += count;
      return new Promise((done) => (resolve = done));
    },
    close: () => sockets.forEach((socket) => socket.destroy()),
  };
  const take = (bytes: Buffer) => {
    if (bytes.includes("retry:")) greeted += 1;
    if (greeted === count && sockets.length === count && wanted === 0) ready(all);
    // An event fits into one segment.
    if (bytes.includes("data: ")) seen += 1;
    if (wanted > 0 && seen === wanted) resolve?.(performance.timeOrigin + performance.now());
  };
  const open = () => {
    if (sockets.length === count) return;
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    socket.on("data", take).on("error", () => undefined);
    socket.on("connect", () => {
      socket.write(request);
      open();
    });
  };
  for (let i = 0; i < 8; i++) open();
  return promise;
}

async function ask<T>(child: ChildProcess, question: Question): Promise<T> {
  const answer = once(child, "message");
  child.send(question);
  return (await answer)[0] as T;
}

async function measure(name: Name): Promise<Figures> {
  const child = fork(contenders[name], [key, sessionId], { execArgv: ["--expose-gc"] });
  const [port] = (await once(child, "message")) as [number];
  // What the first clients make the server load and compile is not theirs.
  const warm = await openClients(port, Math.ceil(clients / 4));
  warm.close();
  const before = await ask<Memory>(child, "memory");
  const open = await openClients(port, clients);
  const idle = await ask<Memory>(child, "memory");
  const times: number[] = [];
  const tellAll = async () => {
    const arrived = open.arrived();
    const { at } = await ask<Told>(child, "event");
    return (await arrived) - at;
  };
  for (let i = 0; i < 50; i++) await tellAll();
  const cpu = cpuMs(child.pid ?? 0);
  for (let i = 0; i < events; i++) times.push(await tellAll());
  const used = cpuMs(child.pid ?? 0) - cpu;
  open.close();
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
  const each = (bytes: number) => bytes / clients / 1_024;
  return {
    held: each(idle.held - before.held),
    resident: each(idle.resident - before.resident),
    lastMs: median(times),
    cpu: used / events,
  };
}

const where = about();
const figures: Record<Name, Figures[]> = { "node:http": [], berth: [] };
for (let round = 0; round < rounds; round++) {
  for (const name of Object.keys(contenders) as Name[]) figures[name].push(await measure(name));
}
const of = (name: Name, what: keyof Figures) => median(figures[name].map((one) => one[what]));
const ratio = (what: keyof Figures) => of("berth", what) / of("node:http", what);
const figure = (name: Name, what: keyof Figures) => of(name, what).toFixed(1);
tell({
  about: where,
  settings: `${clients} clients, ${events} events of 500 bytes, ${rounds} interleaved rounds, medians; clients on the same machine`,
  results: figures,
  rows: [
    ["who", "KiB held per idle client", "resident", "event to all, ms", "server CPU ms per event"],
    ...(Object.keys(contenders) as Name[]).map((name) => [
      name,
      figure(name, "held"),
      figure(name, "resident"),
      figure(name, "lastMs"),
      figure(name, "cpu"),
    ]),
  ],
  verdicts: [
    { id: "T8", what: "memory held, to node:http's", value: ratio("held"), target: 1.3, beyond: 1.1 },
    { id: "", what: "memory resident, to node:http's", value: ratio("resident"), target: 1.3, beyond: 1.1 },
    { id: "T8", what: "time, to node:http's", value: ratio("lastMs"), target: 2, beyond: 1.3 },
    { id: "", what: "CPU, to node:http's", value: ratio("cpu"), target: 2, beyond: 1.3 },
  ],
  options,
});

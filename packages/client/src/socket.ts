import type { ClientFrame, ServerFrame, Ticket } from "@berth/contract";
import { BerthConnectionError } from "./error.ts";
import type { Http } from "./http.ts";
import { createQueue } from "./queue.ts";
import { createWatchdog } from "./watchdog.ts";

export interface SocketSource {
  readonly http: Http;
  readonly WebSocket: typeof globalThis.WebSocket;
  /** A connection that brings nothing for so long, though it is pinged, is given up, milliseconds. */
  readonly silenceMs: number;
}

/** Frames that may wait for their reader before the connection is given up and resumed later. */
const queueLimit = 10_000;

/**
 * One connection to the multiplexed WebSocket: sends `greeting` once it is open and yields what the server sends, until it is
 * cut. A ticket takes the key's place, because browsers cannot set headers. Rejects with BerthApiError when no ticket is given.
 */
export async function* openSocket(
  source: SocketSource,
  greeting: readonly ClientFrame[],
  signal: AbortSignal,
): AsyncGenerator<ServerFrame> {
  const { http, silenceMs } = source;
  const target = await socketUrl(http, signal);
  signal.throwIfAborted();
  const socket = new source.WebSocket(target);
  const arrived = createQueue<ServerFrame>(queueLimit);
  const send = (frame: ClientFrame) => {
    if (socket.readyState === 1) socket.send(JSON.stringify(frame));
  };
  const abort = () => arrived.end();
  signal.addEventListener("abort", abort, { once: true });
  socket.addEventListener("open", () => greeting.forEach(send));
  socket.addEventListener("message", ({ data }) => arrived.push(JSON.parse(String(data)) as ServerFrame));
  socket.addEventListener("error", () => arrived.end(new Error("the WebSocket failed")));
  socket.addEventListener("close", () => arrived.end());
  const watchdog = createWatchdog(http.options.clock, silenceMs, (reason) => arrived.end(reason));
  const stopPings = ping(http, silenceMs / 3, () => send({ op: "ping" }));
  const frames = arrived[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await watchdog.during(frames.next());
      if (next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    throw new BerthConnectionError(target.origin, thrown);
  } finally {
    stopPings();
    watchdog.stop();
    signal.removeEventListener("abort", abort);
    socket.close();
  }
}

async function socketUrl(http: Http, signal: AbortSignal): Promise<URL> {
  const target = http.url("/ws");
  target.protocol = target.protocol === "https:" ? "wss:" : "ws:";
  if (http.options.apiKey === undefined) return target;
  const { ticket } = await http.json<Ticket>({
    method: "POST",
    path: "/tickets",
    body: {},
    retries: 0,
    signal,
  });
  target.searchParams.set("ticket", ticket);
  return target;
}

function ping(http: Http, everyMs: number, send: () => void): () => void {
  let cancel = () => {};
  const next = () => {
    cancel = http.options.clock.after(everyMs, () => {
      send();
      next();
    });
  };
  next();
  return () => cancel();
}

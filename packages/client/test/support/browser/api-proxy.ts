// A reverse proxy that loses connections: followers behind it have to find their place again.
import { type IncomingMessage, request as send, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex, Writable } from "node:stream";

/** `refuse`: before an answer. A number: in the middle of that piece of text, the first being 1, or of a later one. */
export type Cut = "refuse" | number;

export interface ApiProxy {
  readonly cuts: Cut[];
  readonly streams: readonly string[];
  request(request: IncomingMessage, response: ServerResponse): void;
  upgrade(request: IncomingMessage, client: { readonly socket: Duplex; readonly head: Buffer }): void;
  /** Ends every connection to the server. */
  end(): void;
}

const isStream = /\/events\/stream(\?|$)/;
const pieceOfText = `"agent.message.delta"`;

export function createApiProxy(target: string): ApiProxy {
  const { hostname, port } = new URL(target);
  const cuts: Cut[] = [];
  const streams: string[] = [];
  const open = new Set<{ destroy(): unknown }>();

  function own<T extends { destroy(): unknown; once(event: "close", call: () => void): unknown }>(one: T): T {
    open.add(one);
    one.once("close", () => open.delete(one));
    return one;
  }

  function isRefused(): boolean {
    if (cuts[0] !== "refuse") return false;
    cuts.shift();
    return true;
  }

  return {
    cuts,
    streams,
    request(request, response) {
      const path = request.url ?? "/";
      const isFollowed = isStream.test(path);
      if (isFollowed) streams.push(path);
      if (isFollowed && isRefused()) return void request.socket.destroy();
      const { method, headers } = request;
      const outgoing = own(send({ hostname, port, path, method, headers, agent: false }));
      outgoing.on("response", (incoming) => {
        response.writeHead(incoming.statusCode ?? 502, incoming.headers);
        response.flushHeaders();
        incoming.on("error", () => response.destroy());
        pass(incoming, response, isFollowed ? cuts : []);
      });
      outgoing.on("error", () => response.destroy());
      response.on("close", () => outgoing.destroy());
      request.pipe(outgoing);
    },
    upgrade(request, { socket, head }) {
      streams.push(request.url ?? "/");
      if (isRefused()) return void socket.destroy();
      const upstream: Socket = own(connect(Number(port), hostname));
      const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
      upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
      upstream.write(head);
      own(socket).on("error", () => upstream.destroy());
      upstream.on("error", () => socket.destroy());
      upstream.on("close", () => socket.destroy());
      socket.on("close", () => upstream.destroy());
      socket.pipe(upstream);
      pass(upstream, socket, cuts);
    },
    end() {
      for (const one of open) one.destroy();
    },
  };
}

/** Passes on what the server sends, up to the middle of the piece of text at which the connection is lost. */
function pass(from: NodeJS.ReadableStream, to: Writable, cuts: Cut[]): void {
  let pieces = 0;
  let lost = false;
  from.on("data", (chunk: Buffer) => {
    if (lost || to.destroyed) return;
    for (let at = chunk.indexOf(pieceOfText); at !== -1; at = chunk.indexOf(pieceOfText, at + 1)) {
      pieces += 1;
      const [cut] = cuts;
      if (typeof cut !== "number" || pieces < cut) continue;
      cuts.shift();
      lost = true;
      to.write(chunk.subarray(0, at + pieceOfText.length + 20), () => to.destroy());
      return;
    }
    to.write(chunk);
  });
  from.on("end", () => {
    if (!lost) to.end();
  });
}

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResolvedAddress } from "../../../src/lib/checked-addresses.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { type Egress, openEgress, type EgressOptions } from "../../../src/sandbox/egress/egress.ts";
import type { EgressDecision } from "../../../src/sandbox/egress-decision.ts";
import type { EgressRule } from "../../../src/sandbox/sandbox.ts";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A server of the test's own on the loopback, which tells what came. */
export interface Upstream {
  readonly server: Server;
  readonly port: number;
  readonly seen: Seen[];
  /** Connections that ever came. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

export async function openUpstream(server: Server = createServer()): Promise<Upstream> {
  const seen: Seen[] = [];
  let connections = 0;
  server.on("connection", () => (connections += 1));
  server.on("request", (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers, rawHeaders } = request;
      seen.push({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() });
      if (server.listenerCount("request") === 1) response.end(`hello from ${url}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    seen,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface EgressRig {
  readonly egress: Egress;
  readonly socketPath: string;
  readonly decisions: EgressDecision[];
  /** Names that the resolver was asked for. */
  readonly lookups: string[];
  /** Sends bytes and gives what came back until the proxy closed. */
  readonly ask: (text: string | Uint8Array) => Promise<string>;
  readonly connect: () => Socket;
  readonly close: () => Promise<void>;
}

export interface RigOptions extends Partial<Omit<EgressOptions, "policy" | "resolve" | "onDecision">> {
  readonly allow: readonly EgressRule[];
  /** Default: every name is 127.0.0.1. */
  readonly names?: (host: string) => readonly ResolvedAddress[] | Promise<readonly ResolvedAddress[]>;
  readonly clock?: Clock;
}

export const loopback: ResolvedAddress = { address: "127.0.0.1", family: 4 };

export async function openEgressRig({
  allow,
  names = () => [loopback],
  ...options
}: RigOptions): Promise<EgressRig> {
  const folder = await mkdtemp(join(tmpdir(), "berth-egress-"));
  const socketPath = options.socketPath ?? join(folder, "egress.sock");
  const decisions: EgressDecision[] = [];
  const lookups: string[] = [];
  const egress = await openEgress({
    clock: systemClock,
    ...options,
    socketPath,
    policy: { allow },
    resolve: async (host) => {
      lookups.push(host);
      return await names(host);
    },
    onDecision: (decision) => decisions.push(decision),
  });
  const open = () => connect({ path: socketPath });
  return {
    egress,
    socketPath,
    decisions,
    lookups,
    connect: open,
    ask: (text) => answerTo(open(), text),
    async close() {
      await egress.close();
      await rm(folder, { recursive: true });
    },
  };
}

function answerTo(socket: Socket, text: string | Uint8Array): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.write(text);
  return new Promise((resolve) => {
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/** A plain request through a proxy. */
export function get(url: string, headers: readonly string[] = []): string {
  const { host } = new URL(url);
  return ["GET " + url + " HTTP/1.1", `Host: ${host}`, "Connection: close", ...headers, "", ""].join("\r\n");
}

export function connectTo(place: string): string {
  return `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`;
}

/** The status of an answer; NaN when there is none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);
}

import { existsSync, readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { type Channel, deliver, forward, type Wire } from "./wire.ts";

/** Where programs find the proxy, and where that is in truth. */
export const proxyPort = 3_128;
const proxySocket = "/run/berth/egress.sock";
const maxProxied = 128;
const maxListed = 1_000;
/** A state in /proc/net/tcp. */
const listenState = "0A";

/** Makes the policy proxy reachable for programs that know only addresses. Does nothing where there is none. */
export function forwardEgress(): void {
  if (!existsSync(proxySocket)) return;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const proxy = connect({ path: proxySocket, allowHalfOpen: true });
    join(client, proxy);
    join(proxy, client);
  });
  server.maxConnections = maxProxied;
  // Something else has the port: then programs find that.
  server.on("error", () => undefined);
  server.listen(proxyPort, "127.0.0.1");
}

function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.on("error", () => to.destroy());
  from.once("close", () => void (from.errored === null || to.destroy()));
}

/** The ports of this sandbox's own programs. */
export function listening(): number[] {
  const lines = ["tcp", "tcp6"].flatMap((table) => {
    try {
      return readFileSync(`/proc/net/${table}`, "latin1").split("\n").slice(1);
    } catch {
      return [];
    }
  });
  const ports = lines.flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === listenState ? [Number.parseInt(local?.split(":")[1] ?? "", 16)] : [];
  });
  const own = existsSync(proxySocket) ? proxyPort : null;
  return [...new Set(ports)]
    .filter((port) => port !== own)
    .toSorted((a, b) => a - b)
    .slice(0, maxListed);
}

/** Connects to a port of this sandbox's loopback, by IPv4 or else by IPv6. */
export function openPort(wire: Wire, channel: number, port: number, ended: () => void): Channel {
  let socket: Socket;
  let closed = false;
  let credit: (bytes: number) => void = () => undefined;

  function attempt(host: string, next: (() => void) | null): void {
    socket = connect({ host, port, allowHalfOpen: true });
    const tried = socket;
    let connected = false;
    tried.on("error", () => tried.destroy());
    tried.once("connect", () => {
      connected = true;
      tried.setNoDelay(true);
      wire.send({ type: "started", channel });
      credit = forward(wire, channel, tried);
      tried.once("end", () => wire.eof(channel));
    });
    tried.once("close", () => {
      if (!connected && !closed && next !== null) return next();
      ended();
      if (connected) wire.send({ type: "end", channel, code: null, signal: null, left: 0 });
      else wire.send({ type: "failed", channel, code: "port_refused" });
    });
  }

  attempt("127.0.0.1", () => attempt("::1", null));
  return {
    data: (chunk) => deliver(wire, channel, socket, chunk),
    eof: () => void socket.end(),
    credit: (bytes) => credit(bytes),
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}

import { chmod, chown, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { createAddressRules } from "../../lib/address-rules.ts";
import { type Resolve, systemResolve } from "../../lib/checked-addresses.ts";
import type { Clock } from "../../lib/clock.ts";
import type { EgressDecision } from "../egress-decision.ts";
import type { EgressPolicy } from "../sandbox.ts";
import { forward } from "./forward.ts";
import type { Gate } from "./gate.ts";
import { defaultEgressLimits, type EgressLimits } from "./limits.ts";
import { listenAt } from "./listen.ts";
import { compilePolicy } from "./policy.ts";
import { createEgressReports } from "./reports.ts";
import { refusalBytes, refusalOf } from "./refusal.ts";
import { tunnel } from "./tunnel.ts";

export interface EgressOptions {
  /** Where the proxy listens; a file of that name is replaced. Of any length. */
  readonly socketPath: string;
  /** Whose the socket is to be, and who alone may connect besides root. Default: this process's own user. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly policy: EgressPolicy;
  readonly clock: Clock;
  /** Asked once for each connection to a name that the policy allows, and for no other. Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** What the operator permits although it is private: `host:port`, or ranges such as `10.1.0.0/16`. */
  readonly allowPrivate?: readonly string[];
  /** Who certifies hosts, as PEM. Default: those that Node trusts. */
  readonly authorities?: string;
  /** Must not throw. Bounded: see `EgressReports`. */
  readonly onDecision: (decision: EgressDecision) => void;
  readonly limits?: Partial<EgressLimits>;
}

export interface Egress {
  /** Holds the sandbox to another policy; what it no longer allows ends at once. Throws `egress_rule_invalid` and changes nothing. */
  setPolicy(policy: EgressPolicy): void;
  /** Ends every connection and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * The only way out of one sandbox: an HTTP proxy on a UNIX socket that denies what the policy does not name. Rejects with
 * `egress_rule_invalid`, or as listening fails.
 */
export async function openEgress(options: EgressOptions): Promise<Egress> {
  const {
    socketPath,
    owner,
    clock,
    resolve = systemResolve,
    allowPrivate = [],
    authorities,
    onDecision,
  } = options;
  const limits: EgressLimits = { ...defaultEgressLimits, ...options.limits };
  const reports = createEgressReports({ clock, tell: onDecision });
  const gate: Gate = {
    clock,
    limits,
    reports,
    resolve,
    rules: createAddressRules(allowPrivate),
    authorities,
    passages: new Set(),
    policy: compilePolicy(options.policy),
    inside: new WeakMap(),
    handOver(client, target) {
      gate.inside.set(client, target);
      server.emit("connection", client);
    },
  };
  const work = new Set<Promise<void>>();
  const sockets = new Set<Socket>();
  const server = proxyServer(gate, (doing) => {
    work.add(doing);
    void doing.finally(() => work.delete(doing));
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });

  await rm(socketPath, { force: true });
  const folder = await listenAt(server, socketPath);
  if (owner !== undefined) await chown(socketPath, owner.uid, owner.gid);
  await chmod(socketPath, 0o600);

  async function end(): Promise<void> {
    const { promise: closed, resolve: done } = Promise.withResolvers<void>();
    server.close(() => done());
    for (const socket of sockets) socket.destroy();
    await closed;
    await Promise.all(work);
    reports.close();
    await folder.close();
  }
  let ending: Promise<void> | null = null;

  return {
    setPolicy(policy) {
      gate.policy = compilePolicy(policy);
      for (const passage of gate.passages) {
        if (typeof gate.policy.judge(passage.target) === "string") passage.end();
      }
    },
    close: () => (ending ??= end()),
  };
}

/** What is accepted on the socket, and what is made of it. Every piece of work is handed to `track`. */
function proxyServer(gate: Gate, track: (doing: Promise<void>) => void): Server {
  const { limits, reports } = gate;
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(limits.headersMs, 5_000),
    keepAliveTimeout: 30_000,
  });
  server.maxConnections = limits.connections;
  const refused = (reason: "bad_request" | "too_many_connections") =>
    reports.decided({ host: "", port: 0, method: "", verdict: "denied", reason, address: null });
  server.on("request", (request, response) => track(forward(gate, request, response)));
  server.on("connect", (request, client, head) => track(tunnel(gate, { request, client, head })));
  server.on("drop", () => refused("too_many_connections"));
  server.on("clientError", (_error, socket) => {
    if (socket.destroyed || !socket.writable) return void socket.destroy();
    refused("bad_request");
    const { status, text } = refusalOf("bad_request", "");
    socket.end(refusalBytes(status, text), () => socket.destroy());
  });
  return server;
}

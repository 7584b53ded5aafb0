import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import type { LoadedConfig } from "../config/load.ts";
import { createAuthenticator } from "../auth/authenticator.ts";
import { operatorPermissions } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { createTickets } from "../auth/tickets.ts";
import { createApp } from "../http/app.ts";
import type { Readiness } from "../http/context.ts";
import { createNodeServer } from "../http/node-server.ts";
import { createStreams } from "../http/streams.ts";
import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Ports } from "./ports.ts";
import { version } from "./version.ts";
import type { WorkerRole } from "./worker.ts";

export interface ApiRole {
  readonly url: string;
  stop(): Promise<void>;
}

export interface ApiOptions {
  readonly loaded: LoadedConfig;
  readonly ports: Ports;
  readonly adminKey: Secret;
  readonly worker: WorkerRole;
}

/** Nested arrays and objects of any JSON that comes from outside. */
const jsonDepth = 64;

/** Starts the role that answers people and programs. Rejects with `port_in_use` or `cannot_listen`. */
export async function startApi(options: ApiOptions): Promise<ApiRole> {
  const { loaded, ports, adminKey, worker } = options;
  const { config } = loaded;
  const { principal, orgName } = await ownerOf(ports);
  const operations = operationsContext(options, orgName);
  const authenticator = createAuthenticator({ adminKey, principal });
  const tickets = createTickets({ clock: ports.clock });
  const streamSettings = {
    heartbeatMs: config.sseHeartbeat,
    maxUnsent: config.followerBuffer,
    maxStreams: config.maxStreams,
  };
  const streams = createStreams({ operations, authenticator, tickets, jsonDepth, settings: streamSettings });
  const app = createApp({
    operations,
    authenticator,
    tickets,
    streams: streams.events,
    telemetry: ports.telemetry,
    settings: { bodyBytes: config.bodyLimit, uploadBytes: config.uploadLimit, jsonDepth, openMetrics: false },
    readiness: () => readiness(ports, worker),
  });
  const server = createNodeServer({ app, sockets: streams.sockets });
  const url = await listen(server, config.host, config.port);
  return {
    url,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await streams.closeAll();
      server.closeIdleConnections();
      await closed;
    },
  };
}

function operationsContext({ loaded, ports }: ApiOptions, orgName: string): OperationsContext {
  const { store, blobs, queue, bus, presence, clock, models, tools, sandboxes, telemetry } = ports;
  const settings = {
    mailboxLimit: 1_000,
    syncWaitMs: 5_000,
    rereadMs: 250,
    workerAnswerMs: 2_000,
    inlineBytes: 64 * 1024,
    toolResultBytes: 1024 * 1024,
    system: {
      version,
      orgName,
      mode: loaded.config.mode,
      coordination: "in-process",
      startedAt: clock.now(),
      config: loaded.settings,
    },
  };
  return { store, blobs, queue, bus, presence, clock, models, tools, sandboxes, telemetry, settings };
}

/** Mode single: whoever has the admin key is the one owner of the one organization. */
async function ownerOf(ports: Ports): Promise<{ principal: Principal; orgName: string }> {
  const { orgId, orgName, userId, userName } = await ports.store.system.singleTenant();
  const permissions = operatorPermissions;
  const credential = { kind: "admin_key", id: "admin", expiresAt: null } as const;
  return { principal: { type: "user", id: userId, name: userName, orgId, permissions, credential }, orgName };
}

async function readiness(ports: Ports, worker: WorkerRole): Promise<Readiness> {
  const store = await ports.store.system.ping().then(
    () => "ok",
    () => "does not answer",
  );
  const { ok, draining } = worker.health();
  const { unavailable, label } = await ports.sandboxes.probe();
  const sandbox = unavailable === undefined ? label : `unavailable: ${unavailable}`;
  const checks = { store, sandbox, worker: ok ? "ok" : draining ? "is stopping" : "has lost its lease" };
  return { ready: store === "ok" && ok, checks };
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen({ host, port }, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`http://${host.includes(":") ? `[${host}]` : host}:${bound}`);
    });
  });
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): BerthError {
  if (error.code === "EADDRINUSE") {
    return new BerthError(
      "port_in_use",
      `Port ${port} is taken: stop what listens there, or choose another with --port.`,
    );
  }
  return new BerthError(
    "cannot_listen",
    `The server cannot listen on ${host}:${port} (${error.code ?? error.message}).`,
  );
}

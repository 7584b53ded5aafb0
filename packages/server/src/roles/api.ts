import type { AddressInfo } from "node:net";
import type { Server } from "node:http";
import type { LoadedConfig } from "../config/load.ts";
import { createLoginAttempts } from "../auth/login-attempts.ts";
import { createPasswords } from "../auth/password.ts";
import { createPreviewGrants } from "../auth/preview-grants.ts";
import { createTickets } from "../auth/tickets.ts";
import { createApp } from "../http/app.ts";
import type { Readiness } from "../http/context.ts";
import { createNodeServer } from "../http/node-server.ts";
import { createStreams } from "../http/streams.ts";
import { isLoopback } from "../lib/addresses.ts";
import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { OperationsContext } from "../operations/context.ts";
import { createRefusals, type Refusals } from "../operations/refusals.ts";
import { openAuthentication } from "./authentication.ts";
import { openEdge } from "./edge.ts";
import { startDataJobs } from "./data-jobs.ts";
import { openAgentPort } from "../operations/agent-ports.ts";
import { sandboxMostOf } from "./allocation.ts";
import type { AgentPorts } from "./agent-ports.ts";
import type { Ports } from "./ports.ts";
import { openTransport } from "./transport.ts";
import { version } from "./version.ts";
import type { WorkerRole } from "./worker.ts";

export interface ApiRole {
  readonly url: string;
  /** Takes the TLS files as they are now; without TLS it does nothing. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

export interface ApiOptions {
  readonly loaded: LoadedConfig;
  readonly ports: Ports;
  readonly adminKey: Secret;
  readonly worker: WorkerRole;
  readonly agentPorts: AgentPorts;
}

/** Nested arrays and objects of any JSON that comes from outside. */
const jsonDepth = 64;

/** Starts the role that answers people and programs. Rejects with `port_in_use`, `cannot_listen` or `tls_invalid`. */
export async function startApi(options: ApiOptions): Promise<ApiRole> {
  const { loaded, ports, adminKey, worker, agentPorts } = options;
  const { config } = loaded;
  const transport = await openTransport(config, { clock: ports.clock, logger: ports.telemetry.logger });
  const { edge, stop: stopEdge } = await openEdge(config, ports);
  const owner = await ports.store.system.singleTenant();
  const refusals = createRefusals(ports);
  const stopping = new AbortController();
  const operations = operationsContext(options, { refusals, stopping: stopping.signal });
  const authentication = await openAuthentication({
    config,
    ports,
    adminKey,
    owner,
    passwords: operations.passwords,
  });
  const { authenticator, login } = authentication;
  const tickets = createTickets({ clock: ports.clock });
  const streamSettings = {
    heartbeatMs: config.sseHeartbeat,
    maxUnsent: config.followerBuffer,
    maxUnsentAnswers: 2 * (config.followerBuffer + 1_048_576),
    maxStreams: config.maxStreams,
    maxStreamsPerOrg: config.maxStreamsPerOrg,
    maxStreamsPerAddress: config.maxStreamsPerAddress,
  };
  const streams = createStreams({
    operations,
    authenticator,
    tickets,
    jsonDepth,
    edge,
    settings: streamSettings,
  });
  const app = createApp({
    operations,
    authenticator,
    tickets,
    login,
    streams: streams.events,
    telemetry: ports.telemetry,
    edge,
    settings: { bodyBytes: config.bodyLimit, uploadBytes: config.uploadLimit, jsonDepth, openMetrics: false },
    readiness: () => readiness(ports, worker),
  });
  const server = createNodeServer({ ...transport.options, app, ...streams });
  const release = async () => {
    await authentication.stop();
    stopEdge();
    await refusals.stop();
  };
  const url = await listen(server, transport.scheme, config).catch(async (error: unknown) => {
    await release();
    throw error;
  });
  const origin = config.publicUrl ?? url;
  agentPorts.serve((port) => openAgentPort(operations, port, origin));
  const dataJobs = startDataJobs(ports, operations, config);
  return {
    url,
    reload: transport.reloadable(server),
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Their callers are told; what sessions run is the worker's to end.
      stopping.abort();
      await streams.closeAll();
      server.closeIdleConnections();
      await closed;
      // What waits for a backup to end is let go first.
      await ports.backups.stop();
      await dataJobs.stop();
      await release();
    },
  };
}

function operationsContext(
  { loaded, ports }: ApiOptions,
  { refusals, stopping }: { readonly refusals: Refusals; readonly stopping: AbortSignal },
): OperationsContext {
  const { clock, counter, keys, anchors, backups, exportFiles } = ports;
  const audit = { key: keys.auditKey, anchors, refusals };
  const settings = {
    mailboxLimit: 1_000,
    syncWaitMs: 5_000,
    rereadMs: 250,
    workerAnswerMs: 2_000,
    inlineBytes: 64 * 1024,
    toolResultBytes: 1024 * 1024,
    userModelProviders: loaded.config.userModelProviders,
    previewDomain: previewDomainOf(loaded.config),
    sandboxMost: sandboxMostOf(loaded.config),
    system: {
      version,
      mode: loaded.config.mode,
      coordination: "in-process",
      startedAt: clock.now(),
      defaultModel: loaded.config.defaultModel,
      config: loaded.settings,
    },
  };
  return {
    ...ports,
    previews: createPreviewGrants({ key: keys.previewKey, clock }),
    passwords: createPasswords(),
    loginAttempts: createLoginAttempts({ clock, counter, attempts: loaded.config.loginAttempts }),
    audit,
    data: { backups, exportFiles },
    settings,
    stopping,
  };
}

/** Browsers find every name below `localhost` on their own machine: right where this server listens there alone. */
function previewDomainOf({ previewDomain, host }: LoadedConfig["config"]): string | null {
  return previewDomain ?? (host === "localhost" || isLoopback(host) ? "localhost" : null);
}

async function readiness(ports: Ports, worker: WorkerRole): Promise<Readiness> {
  const store = await ports.store.system.ping().then(
    () => "ok",
    (error: unknown) => (error instanceof BerthError ? error.message : "does not answer"),
  );
  const { ok, draining } = worker.health();
  const { unavailable, label } = await ports.sandboxes.probe();
  const sandbox = unavailable === undefined ? label : `unavailable: ${unavailable}`;
  const checks = { store, sandbox, worker: ok ? "ok" : draining ? "is stopping" : "has lost its lease" };
  return { ready: store === "ok" && ok, checks };
}

function listen(
  server: Server,
  scheme: "http" | "https",
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, port)));
    server.listen({ host, port }, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${bound}`);
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

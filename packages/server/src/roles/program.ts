import type { LoadedConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { secretsOf } from "../config/secrets.ts";
import { adminKeyPath, discardAdminKey, ensureAdminKey } from "../auth/admin-key.ts";
import { isLoopback } from "../lib/addresses.ts";
import { BerthError } from "../lib/errors.ts";
import { armFailpoint } from "../lib/failpoint.ts";
import type { TimerHandle } from "../lib/clock.ts";
import { watchEventLoop } from "../telemetry/event-loop.ts";
import { createLogger, type LogDestination } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createRedactor } from "../telemetry/redaction.ts";
import { createTelemetry, type Telemetry } from "../telemetry/telemetry.ts";
import { createAgentPorts } from "./agent-ports.ts";
import { endEach } from "./end-each.ts";
import { type ApiRole, startApi } from "./api.ts";
import { closingsOf, openPorts, type Ports } from "./ports.ts";
import { startServerJobs } from "./jobs.ts";
import { quotaDefaults, runtimeSettings } from "./settings.ts";
import { startWorker, type WorkerRole } from "./worker.ts";
import { version } from "./version.ts";

export interface ProgramSandboxes {
  readonly provider: string;
  readonly isolated: boolean;
  /** What people are shown, for example `not isolated`. */
  readonly label: string;
  /** What is missing for more than that, and what to do about it. */
  readonly reasons: readonly string[];
  /** Why there are none; null when there are some. */
  readonly unavailable: string | null;
}

/** A running Berth. */
export interface Program {
  readonly url: string;
  readonly mode: Config["mode"];
  readonly dataDir: string;
  readonly defaultModel: string;
  /** A sentence for each provider that has no models to choose from, when no default model was named. */
  readonly modelProblems: readonly string[];
  /** Where commands of agents run. */
  readonly sandboxes: ProgramSandboxes;
  /** The admin key, when this start made it: shown once. */
  readonly newAdminKey: string | null;
  readonly adminKeyFile: string;
  readonly telemetry: Telemetry;
  /** Takes the TLS files as they are now; null without TLS. */
  readonly reload: (() => Promise<void>) | null;
  /** Ends user-facing things first, then lets runs finish within the drain time, then closes the rest. Idempotent. */
  stop(): Promise<void>;
}

/** What tests put in the place of the program's own parts. */
type Overrides = Partial<Ports> & { readonly logs?: LogDestination };

/**
 * Starts every role in one process, in order: keys, store, models, worker, API. What was started is stopped again when a later part
 * cannot start. Rejects with what is wrong and what to do about it.
 */
export async function startProgram(
  loaded: LoadedConfig,
  { logs, ...overrides }: Overrides = {},
): Promise<Program> {
  const { config } = loaded;
  refuseOpenBind(config.host, config.adminKey !== null);
  armFailpoint(config.failpoint);
  const redactor = createRedactor();
  for (const secret of secretsOf(config)) redactor.add(secret);
  const logger = createLogger({
    level: config.logLevel,
    format: config.logFormat,
    redactor,
    ...(logs !== undefined && { destination: logs }),
  });
  const telemetry = createTelemetry({ logger, metrics: createMetrics({ version }) });
  const stops: (() => Promise<void> | void)[] = [];
  const stopAll = () =>
    endEach(stops.splice(0).toReversed(), (error) => telemetry.unexpectedError({ where: "stop", error }));
  let newKeyIn: string | null = null;
  try {
    // The store comes first: its lock decides whether this process may touch the folder at all.
    const ports = await openPorts({ loaded, telemetry, redactor }, overrides);
    stops.push(...closingsOf(ports).toReversed());
    await ports.store.system.limits.setDefaults(quotaDefaults(config));
    for (const text of ports.keys.texts) redactor.add(text);
    const adminKey = await ensureAdminKey({ dataDir: config.data, preset: config.adminKey });
    redactor.add(adminKey.key);
    newKeyIn = adminKey.created ? config.data : null;
    const eventLoop: TimerHandle = watchEventLoop({
      clock: ports.clock,
      telemetry,
      slowMs: config.eventLoopSlow,
    });
    stops.push(() => eventLoop.cancel());
    const defaultModel = await defaultModelOf(config.defaultModel, ports);
    const modelProblems = config.defaultModel === null ? await problemsOfModels(ports) : [];
    for (const problem of modelProblems) logger.warn({}, problem);
    const jobs = startServerJobs(ports);
    stops.push(() => jobs.stop());
    const agentPorts = createAgentPorts();
    const worker: WorkerRole = await startWorker(ports, runtimeSettings(config, defaultModel), {
      redact: (text, scope) => redactor.values(text, scope),
      openPort: agentPorts.open,
    });
    stops.push(() => worker.stop(config.drainTimeout));
    const api: ApiRole = await startApi({ loaded, ports, adminKey: adminKey.key, worker, agentPorts });
    stops.push(() => api.stop());
    ports.store.describe?.(api.url);
    let stopping: Promise<void> | null = null;
    return {
      url: api.url,
      mode: config.mode,
      dataDir: config.data,
      defaultModel,
      modelProblems,
      sandboxes: await sandboxesOf(ports),
      newAdminKey: adminKey.created ? adminKey.key.reveal() : null,
      adminKeyFile: adminKeyPath(config.data),
      telemetry,
      reload: config.tlsCert === null ? null : () => api.reload(),
      stop: () => (stopping ??= stopAll()),
    };
  } catch (error) {
    // Nobody was shown this key. It goes while the folder is still held: the next start makes and shows another.
    if (newKeyIn !== null) await discardAdminKey(newKeyIn).catch(() => {});
    // What fails in it has been told, and is not why there is no server.
    await stopAll().catch(() => {});
    throw error;
  }
}

/** Other machines are let in only with a key that the operator chose. */
function refuseOpenBind(host: string, hasKey: boolean): void {
  if (host === "localhost" || isLoopback(host) || hasKey) return;
  throw new BerthError(
    "unsafe_bind",
    `Listening on ${host} lets other machines in. Set BERTH_ADMIN_KEY to a key of your own first, or leave host at 127.0.0.1.`,
  );
}

async function defaultModelOf(wanted: string | null, ports: Ports): Promise<string> {
  if (wanted !== null) {
    if (ports.models.knows(wanted)) return wanted;
    throw new BerthError(
      "unknown_model",
      `The default model ${wanted} belongs to no provider of this server.`,
    );
  }
  const found = await ports.models.list();
  return (found.find((model) => !model.demo) ?? found[0])?.name ?? "demo/tour";
}

async function problemsOfModels(ports: Ports): Promise<readonly string[]> {
  const found = await ports.modelProblems();
  return found.map(({ provider, at, problem }) => {
    const where = at === null ? provider : `${provider} at ${at}`;
    const remedy = problem.startsWith("does not answer") ? " or start it" : "";
    return `${where} ${problem}: name a model of it with --default-model ${provider}/NAME${remedy}`;
  });
}

async function sandboxesOf({ sandboxes }: Ports): Promise<ProgramSandboxes> {
  const { isolation, label, reasons, unavailable = null } = await sandboxes.probe();
  return { provider: sandboxes.kind, isolated: isolation !== "none", label, reasons, unavailable };
}

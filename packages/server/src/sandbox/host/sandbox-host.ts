import type { Server } from "node:http";
import type { ServerOptions as TlsOptions } from "node:https";
import { type Clock, within } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { SandboxProvider } from "../sandbox.ts";
import type { Admission } from "./admit.ts";
import { answerCall } from "./answer-call.ts";
import type { HostContext } from "./context.ts";
import { createDrain, type DrainLog, type HostRemains } from "./drain.ts";
import type { EgressJournal } from "./egress-journal.ts";
import { createExecutions } from "./executions.ts";
import { createHttpServer, defaultLimits, type HostLimits, listen } from "./http-server.ts";
import { createTunnels } from "./tunnels.ts";
import { createUsedTokens } from "./used-tokens.ts";
import type { VerifyToken } from "./verify-token.ts";
import type { WorkspaceOwners } from "./workspace-owners.ts";

export interface SandboxHostOptions {
  /** Makes the sandboxes; it has one host of its own. Whoever made it closes it after the host has stopped. */
  readonly provider: SandboxProvider;
  readonly verify: VerifyToken;
  readonly owners: WorkspaceOwners;
  /** The provider's `onEgress` writes it. */
  readonly egress: EgressJournal;
  readonly clock: Clock;
  /** As servers name it. */
  readonly name: string;
  readonly version: string;
  /** How long a host that drains waits for its sandboxes to end and its workspaces to be moved, milliseconds. */
  readonly drainMs: number;
  /** Default: plain HTTP, for loopback only. */
  readonly tls?: TlsOptions | null;
  readonly limits?: Partial<HostLimits>;
  readonly log?: DrainLog;
}

/** How long calls may take to end when the host stops, milliseconds. */
const stopMs = 5_000;

/** Any provider behind HTTP. */
export interface SandboxHost {
  /** Whoever has new TLS files gives them to it. */
  readonly server: Server;
  /** Resolves with its address. Rejects with `port_in_use` or `cannot_listen`. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Takes no new sandboxes from now on; workspaces are served as before, so that servers can move them. Idempotent. */
  drain(): void;
  /** Resolves when it was told to drain and nothing is left, or the time for that has passed, with what is left then. */
  readonly drained: Promise<HostRemains>;
  /** Ends all calls and stops listening. Idempotent. */
  stop(): Promise<void>;
}

export function createSandboxHost(options: SandboxHostOptions): SandboxHost {
  const { provider, clock, tls = null, log } = options;
  const draining = createDrain(options);
  let place: string | null = null;
  const context: HostContext = {
    provider,
    owners: options.owners,
    egress: options.egress,
    clock,
    name: options.name,
    version: options.version,
    executions: createExecutions(clock),
    deployments: new Map(),
    place: async () => (place ??= await placeOf(provider)),
    draining: draining.began,
    drain: draining.begin,
  };
  const admission: Admission = { verify: options.verify, used: createUsedTokens(clock) };
  const tunnels = createTunnels(context, admission);
  const server = createHttpServer({
    limits: { ...defaultLimits, ...options.limits },
    tls,
    async answer(request, response) {
      const { name, failed } = await answerCall(context, admission, { request, response });
      if (failed === null && name.startsWith("workspace/")) draining.asked();
      // What is typed was told to whoever called; anything else is a fault of this host.
      if (failed?.code === "internal")
        log?.warn({ call: name, err: failed.cause }, "a call failed unexpectedly");
    },
  });
  server.on("upgrade", (request, socket, head) => void tunnels.upgrade(request, socket, head));
  let stopping: Promise<void> | null = null;

  async function stop(): Promise<void> {
    draining.end();
    context.executions.close();
    tunnels.close();
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await within(clock, stopMs, () => closed);
    server.closeAllConnections();
    await closed;
  }

  return {
    server,
    listen: (at) => listen(server, tls === null ? "http" : "https", at),
    drain: draining.begin,
    drained: draining.done,
    stop: () => (stopping ??= stop()),
  };
}

async function placeOf(provider: SandboxProvider): Promise<string> {
  const [host] = await provider.hosts();
  if (host === undefined)
    throw new BerthError("sandbox_unavailable", "This host has no place for sandboxes.");
  return host.name;
}

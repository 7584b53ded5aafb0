import type { Server } from "node:http";
import type { ServerOptions as TlsServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { afterEach } from "vitest";
import type { Authenticator } from "../../../src/auth/authenticator.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import { createTickets } from "../../../src/auth/tickets.ts";
import { createApp } from "../../../src/http/app.ts";
import { createEdge, type Edge } from "../../../src/http/edge.ts";
import { createNodeServer } from "../../../src/http/node-server.ts";
import { createReadPeer } from "../../../src/http/peer.ts";
import { createStreams, type Streams, type StreamSettings } from "../../../src/http/streams.ts";
import { defaultTransportLimits, type TransportLimits } from "../../../src/http/transport-limits.ts";
import { createAddressSet } from "../../../src/lib/addresses.ts";
import type { FollowingSettings } from "../../../src/operations/follow-events.ts";
import { type Api, type ApiOptions, useApi } from "../http/api.ts";
import { onePrincipal } from "../http/one-principal.ts";

export const apiKey = "brt_key-of-the-network-tests";

export interface NetServerOptions {
  readonly api?: ApiOptions;
  readonly edge?: Partial<Edge>;
  readonly limits?: Partial<TransportLimits>;
  readonly trusted?: readonly string[];
  readonly tls?: TlsServerOptions;
  readonly streams?: Partial<StreamSettings & FollowingSettings>;
  readonly principal?: Partial<Principal>;
  readonly authenticator?: Authenticator;
}

export interface NetServer {
  readonly api: Api;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly streams: Streams;
  /** The server's ends of the connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** How many requests the app has seen. */
  readonly seen: readonly string[];
}

/** Starts the API on a socket of this machine, with limits of a test's own. It ends after the test. */
export function useNetServer(): (options?: NetServerOptions) => Promise<NetServer> {
  const ends: (() => Promise<void>)[] = [];
  const openApi = useApi();
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });
  return async (options = {}) => {
    const api = await openApi(options.api);
    const started = await start(api, options);
    ends.push(started.end);
    return started.server;
  };
}

/** One more server in front of the same store. */
export async function start(
  api: Api,
  options: NetServerOptions,
): Promise<{ server: NetServer; end: () => Promise<void> }> {
  const { operations } = api;
  const principal = { ...api.principal, ...options.principal };
  const authenticator = options.authenticator ?? onePrincipal(apiKey, principal);
  const tickets = createTickets({ clock: operations.clock });
  const edge = createEdge(options.edge);
  const settings = options.streams ?? {};
  const streams = createStreams({ operations, authenticator, tickets, jsonDepth: 64, edge, settings });
  const app = createApp({
    operations,
    authenticator,
    tickets,
    login: null,
    streams: streams.events,
    telemetry: operations.telemetry,
    edge,
    settings: { bodyBytes: 1_048_576, uploadBytes: 1_048_576, jsonDepth: 64, openMetrics: false },
    readiness: async () => ({ ready: true, checks: {} }),
  });
  const seen: string[] = [];
  const counting = {
    fetch(request: Request) {
      seen.push(`${request.method} ${new URL(request.url).pathname}`);
      return app.fetch(request);
    },
  };
  const server = createNodeServer({
    app: counting,
    sockets: streams.sockets,
    previews: streams.previews,
    limits: { ...defaultTransportLimits, ...options.limits },
    readPeer: createReadPeer({ trusted: createAddressSet(options.trusted ?? []) }),
    tls: options.tls ?? null,
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `${options.tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  return {
    server: { api, server, port, url, streams, sockets, seen },
    async end() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await streams.closeAll();
      server.closeAllConnections();
      await closed;
    },
  };
}

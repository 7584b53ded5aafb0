import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Principal } from "../../../src/auth/principal.ts";
import { createTickets } from "../../../src/auth/tickets.ts";
import { createApp } from "../../../src/http/app.ts";
import { createEdge } from "../../../src/http/edge.ts";
import { createNodeServer } from "../../../src/http/node-server.ts";
import { createStreams, type Streams, type StreamSettings } from "../../../src/http/streams.ts";
import { onePrincipal } from "../http/one-principal.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import type { FollowingSettings } from "../../../src/operations/follow-events.ts";

export const apiKey = "brt_key-of-the-follow-tests";

export interface LiveServer {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly streams: Streams;
  /** The server's ends of all connections that were ever made. */
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** The API with its streams on a free port of this machine. */
export async function listen(options: {
  readonly operations: OperationsContext;
  readonly principal: Principal;
  readonly settings?: Partial<StreamSettings & FollowingSettings>;
}): Promise<LiveServer> {
  const { operations, principal, settings = {} } = options;
  const authenticator = onePrincipal(apiKey, principal);
  const tickets = createTickets({ clock: operations.clock });
  const streams = createStreams({ operations, authenticator, tickets, jsonDepth: 64, settings });
  const app = createApp({
    operations,
    authenticator,
    tickets,
    login: null,
    streams: streams.events,
    telemetry: operations.telemetry,
    edge: createEdge(),
    settings: { bodyBytes: 1_048_576, uploadBytes: 1_048_576, jsonDepth: 64, openMetrics: false },
    readiness: async () => ({ ready: true, checks: {} }),
  });
  const server: Server = createNodeServer({ app, sockets: streams.sockets });
  const sockets: Socket[] = [];
  server.on("connection", (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    streams,
    sockets,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await streams.closeAll();
      server.closeAllConnections();
      await closed;
    },
  };
}

import { createServer, type Server } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { keepOutgoing } from "./node-requests.ts";
import type { Sockets } from "./websocket.ts";

/**
 * A client that sends its head or its body too slowly is cut, and so is one connection too many: each costs memory until it is known
 * who it is. Streams and WebSockets are not concerned: their requests are whole. Milliseconds.
 */
const limits = { headersTimeout: 10_000, requestTimeout: 120_000, connectionsCheckingInterval: 1_000 };
const maxConnections = 5_000;

/**
 * A Node server, not yet listening, for an app that is a plain `fetch`, with the WebSockets beside it. Whoever closes it closes the
 * streams first: they end by themselves only when their clients go.
 */
export function createNodeServer(options: {
  readonly app: { readonly fetch: (request: Request) => Promise<Response> };
  readonly sockets: Pick<Sockets, "upgrade">;
}): Server {
  const { app, sockets } = options;
  const server = createAdaptorServer({
    createServer,
    // Clients that offer HTTP/2 by an upgrade (Java's, curl's) go on with HTTP/1.1. Before Node 24.9 they are refused.
    serverOptions: {
      ...limits,
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    },
    fetch(request, env) {
      keepOutgoing(request, (env as HttpBindings).outgoing);
      return app.fetch(request);
    },
  }) as Server;
  server.maxConnections = maxConnections;
  server.on("upgrade", (request, socket, head) => sockets.upgrade(request, socket, head));
  return server;
}

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsServerOptions } from "node:https";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { createAddressSet } from "../lib/addresses.ts";
import { capConnections } from "./connection-caps.ts";
import { keepOutgoing } from "./node-requests.ts";
import type { Previews } from "./previews/previews.ts";
import { createReadPeer, keepPeer, type ReadPeer } from "./peer.ts";
import { defaultTransportLimits, type TransportLimits } from "./transport-limits.ts";
import type { Sockets } from "./websocket.ts";

export interface NodeServerOptions {
  readonly app: { readonly fetch: (request: Request) => Promise<Response> };
  readonly sockets: Pick<Sockets, "upgrade">;
  /** Whose hosts the app never sees. Default: there are none. */
  readonly previews?: Pick<Previews, "takes" | "request" | "upgrade">;
  /** Default: no proxy is trusted. */
  readonly readPeer?: ReadPeer;
  readonly limits?: TransportLimits;
  /** With TLS; null: without. */
  readonly tls?: TlsServerOptions | null;
}

/** How often connections are looked at that may be too slow, milliseconds. */
const connectionsCheckingInterval = 1_000;

/**
 * A Node server, not yet listening, for an app that is a plain `fetch`, with the WebSockets beside it. A client that sends its head
 * or its body too slowly is cut, and so is one connection too many: each costs memory until it is known who it is. Whoever closes the
 * server closes the streams first: they end by themselves only when their clients go.
 */
export function createNodeServer(options: NodeServerOptions): Server {
  const { app, sockets, previews, limits = defaultTransportLimits, tls = null } = options;
  const readPeer = options.readPeer ?? createReadPeer({ trusted: createAddressSet([]) });
  const serverOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval,
    maxHeaderSize: limits.headerBytes,
    // Clients that offer HTTP/2 by an upgrade (Java's, curl's) go on with HTTP/1.1. Before Node 24.9 they are refused.
    shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
  } satisfies ServerOptions;
  const parted = (listener: RequestListener) => (request: IncomingMessage, response: ServerResponse) => {
    if (previews?.takes(request) !== true) return listener(request, response);
    keepPeer(request, readPeer(request));
    void previews.request(request, response);
  };
  const server = createAdaptorServer({
    ...(tls === null
      ? {
          createServer: ((given: ServerOptions, listener: RequestListener) =>
            createServer(given, parted(listener))) as typeof createServer,
          serverOptions,
        }
      : {
          createServer: ((given: TlsServerOptions, listener: RequestListener) =>
            createTlsServer(given, parted(listener))) as typeof createTlsServer,
          serverOptions: { ...serverOptions, ...tls },
        }),
    // HTTP/1.0 needs no Host header.
    hostname: "localhost",
    fetch(request, env) {
      const { incoming, outgoing } = env as HttpBindings;
      keepOutgoing(request, outgoing);
      keepPeer(request, readPeer(incoming));
      return app.fetch(request);
    },
  }) as Server;
  server.timeout = limits.stuckMs;
  server.maxConnections = limits.maxConnections;
  capConnections(server, limits);
  server.on("upgrade", (request, socket, head) => {
    keepPeer(request, readPeer(request));
    if (previews?.takes(request) === true) void previews.upgrade(request, socket, head);
    else sockets.upgrade(request, socket, head);
  });
  return server;
}

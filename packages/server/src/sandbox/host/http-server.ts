import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type ServerOptions as TlsOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { BerthError } from "../../lib/errors.ts";
import { protocolVersion, versionHeader } from "../protocol/wire.ts";
import { refuse } from "./answer-call.ts";

export interface HostLimits {
  readonly headerBytes: number;
  /** Calls at the same time, streams included. */
  readonly calls: number;
  readonly connections: number;
  /** Until the head of a request and until all of it must have come, milliseconds. */
  readonly headMs: number;
  readonly requestMs: number;
  /** How long a connection may be idle between two requests, milliseconds. */
  readonly idleMs: number;
}

export const defaultLimits: HostLimits = {
  headerBytes: 16 * 1_024,
  calls: 1_000,
  connections: 2_000,
  headMs: 10_000,
  requestMs: 60_000,
  idleMs: 60_000,
};

export interface HttpServerOptions {
  readonly limits: HostLimits;
  readonly tls: TlsOptions | null;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** A server, not yet listening, that bounds what a caller may cost before it is known who it is. */
export function createHttpServer({ limits, tls, answer }: HttpServerOptions): Server {
  const options: ServerOptions = {
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: limits.headerBytes,
    keepAliveTimeout: limits.idleMs,
  };
  let calls = 0;
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader(versionHeader, protocolVersion);
    // Of whoever goes away in the middle.
    response.on("error", () => response.destroy());
    if (request.url === "/healthz" && request.method === "GET") {
      response.end("ok\n");
      return;
    }
    if (calls >= limits.calls) {
      const message = "This sandbox host has too many calls at once; try again in a moment.";
      refuse(response, new BerthError("sandbox_unavailable", message, { retryable: true }));
      return;
    }
    calls++;
    response.once("close", () => calls--);
    void answer(request, response);
  };
  const server =
    tls === null ? createServer(options, onRequest) : createTlsServer({ ...options, ...tls }, onRequest);
  server.maxConnections = limits.connections;
  return server;
}

/** Rejects with `port_in_use` or `cannot_listen`. */
export function listen(
  server: Server,
  scheme: "http" | "https",
  { host, port }: { readonly host: string; readonly port: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      const message = taken
        ? `Port ${port} is taken: stop what listens there, or choose another with --port.`
        : `The sandbox host cannot listen on ${host}:${port} (${error.code ?? "unknown"}).`;
      reject(new BerthError(taken ? "port_in_use" : "cannot_listen", message));
    });
    server.listen({ host, port }, () => {
      const { port: bound } = server.address() as AddressInfo;
      resolve(`${scheme}://${host.includes(":") ? `[${host}]` : host}:${bound}`);
    });
  });
}

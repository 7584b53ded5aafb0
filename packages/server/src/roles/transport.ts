import { type Server as TlsServer, type ServerOptions } from "node:https";
import type { Server } from "node:http";
import type { Config } from "../config/schema.ts";
import { watchCertified } from "../http/certified-connections.ts";
import type { NodeServerOptions } from "../http/node-server.ts";
import { createReadPeer } from "../http/peer.ts";
import { readTls, type TlsFiles } from "../http/tls-files.ts";
import { createAddressSet } from "../lib/addresses.ts";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { Logger } from "../telemetry/logger.ts";

/** This machine itself: who comes from here is not told apart by address, for it may be a proxy that nobody named. */
export const thisMachine = ["127.0.0.0/8", "::1"] as const;

/** How clients reach the server: TLS or not, behind which proxies, and with which limits. */
export interface Transport {
  readonly scheme: "http" | "https";
  readonly options: Required<Pick<NodeServerOptions, "readPeer" | "limits" | "tls">>;
  /** For the server that was made with the options: takes the TLS files as they are now. */
  reloadable(server: Server): () => Promise<void>;
}

/** Rejects with `tls_invalid`. */
export async function openTransport(
  config: Config,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Transport> {
  const files = tlsFiles(config);
  const tls = files === null ? null : await readTls(files);
  const trusted = createAddressSet(config.trustedProxies);
  return {
    scheme: tls === null ? "http" : "https",
    options: { readPeer: createReadPeer({ trusted }), limits: limitsOf(config), tls },
    reloadable: (server) => reloadableTls(server, { files, first: tls, clock, logger }) ?? (async () => {}),
  };
}

/** Has a server that was made with `first` take the files as they are now; null for one without TLS. Never rejects. */
export function reloadableTls(
  server: Server,
  {
    files,
    first,
    ...rest
  }: Pick<Reload, "clock" | "logger"> & {
    readonly files: TlsFiles | null;
    readonly first: ServerOptions | null;
  },
): (() => Promise<void>) | null {
  if (files === null || first === null || !isTls(server)) return null;
  return reloading(server, { ...rest, files, first });
}

interface Reload {
  readonly files: TlsFiles;
  readonly first: ServerOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** New files take the place of the old ones for connections made from now on. Files that do not work leave the old ones in place. */
function reloading(server: TlsServer, { files, first, clock, logger }: Reload): () => Promise<void> {
  const certified = watchCertified(server, clock);
  let authority = authorityOf(first);
  return async () => {
    try {
      const next = await readTls(files);
      server.setSecureContext(next);
      logger.info({ cert: files.cert }, "The TLS files were read again.");
      if (authorityOf(next) === authority) return;
      authority = authorityOf(next);
      certified.retire();
    } catch (error) {
      logger.error({ err: error }, "The TLS files were not read again: the old ones stay in use.");
    }
  };
}

/** Who is trusted, as text. */
function authorityOf({ ca, crl }: ServerOptions): string {
  return `${String(ca)}\n${String(crl)}`;
}

function isTls(server: Server): server is TlsServer & Server {
  return "setSecureContext" in server;
}

/** The files that the configuration names; null without TLS. Throws `tls_invalid`. */
export function tlsFiles(config: Config): TlsFiles | null {
  const { tlsCert: cert, tlsKey: key, tlsClientCa, tlsClientCrl, tlsClientAuth } = config;
  if (cert !== null && key !== null) {
    return { cert, key, clientCa: tlsClientCa, clientCrl: tlsClientCrl, clientAuth: tlsClientAuth };
  }
  const rest = [cert, key, tlsClientCa, tlsClientCrl];
  if (rest.every((path) => path === null) && tlsClientAuth === "off") return null;
  throw new BerthError("tls_invalid", "TLS cannot start: tlsCert and tlsKey are needed, both of them.");
}

function limitsOf(config: Config): Transport["options"]["limits"] {
  return {
    maxConnections: config.maxConnections,
    maxConnectionsPerAddress: config.maxConnectionsPerAddress,
    uncounted: createAddressSet([...thisMachine, ...config.trustedProxies]),
    headerBytes: config.headerLimit,
    headersTimeoutMs: config.headersTimeout,
    requestTimeoutMs: config.requestTimeout,
    stuckMs: config.stuckTimeout,
  };
}

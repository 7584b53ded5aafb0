import { constants } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ServerOptions } from "node:https";
import { createSecureContext } from "node:tls";
import { BerthError } from "../lib/errors.ts";

/** The files that TLS is made of. */
export interface TlsFiles {
  /** PEM: the server's certificate, then those between it and its authority. */
  readonly cert: string;
  readonly key: string;
  /** PEM: the authorities of clients' certificates, and what they have revoked. */
  readonly clientCa: string | null;
  readonly clientCrl: string | null;
  readonly clientAuth: "off" | "optional" | "required";
}

/** How long a client may take for the handshake, milliseconds. */
const handshakeTimeout = 10_000;

/**
 * Options of a TLS server: TLS 1.2 and later. No session is resumed where clients have certificates, so that each connection is
 * checked against the authority and the revocations of its day. Rejects with `tls_invalid`, which names the file.
 */
export async function readTls(files: TlsFiles): Promise<ServerOptions> {
  const { clientAuth } = files;
  if (clientAuth !== "off" && files.clientCa === null) {
    throw invalid("tlsClientAuth needs tlsClientCa, the authority of the clients' certificates");
  }
  if (clientAuth === "off" && (files.clientCa ?? files.clientCrl) !== null) {
    throw invalid("tlsClientCa and tlsClientCrl mean nothing unless tlsClientAuth is optional or required");
  }
  const [cert, key, ca, crl] = await Promise.all([
    read("tlsCert", files.cert),
    read("tlsKey", files.key),
    files.clientCa === null ? null : read("tlsClientCa", files.clientCa),
    files.clientCrl === null ? null : read("tlsClientCrl", files.clientCrl),
  ]);
  const withClients = clientAuth !== "off";
  const options: ServerOptions = {
    cert,
    key,
    ...(ca !== null && { ca }),
    ...(crl !== null && { crl }),
    minVersion: "TLSv1.2",
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (withClients ? constants.SSL_OP_NO_TICKET : 0),
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout,
    requestCert: withClients,
    rejectUnauthorized: clientAuth === "required",
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw invalid(
      `the files do not make a TLS server (${reasonOf(error)}): check that they are PEM and that the key is the certificate's`,
    );
  }
  return options;
}

async function read(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw invalid(`${setting} names ${path}, which cannot be read (${reasonOf(error)})`);
  }
}

/** The code only: a message could quote a key. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

function invalid(what: string): BerthError {
  return new BerthError("tls_invalid", `TLS cannot start: ${what}.`);
}

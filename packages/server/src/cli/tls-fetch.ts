import { readFile } from "node:fs/promises";
import { getCACertificates } from "node:tls";
import type { Config } from "../config/schema.ts";
import { BerthError } from "../lib/errors.ts";

type Fetch = typeof globalThis.fetch;

/**
 * A fetch that trusts the authority that the configuration names, besides those that this machine knows, and shows its certificate.
 * Null when it names neither. Rejects with `invalid_config` when a file cannot be read.
 */
export async function fetchOverTls(
  config: Pick<Config, "ca" | "clientCert" | "clientKey">,
): Promise<Fetch | null> {
  const { ca, clientCert, clientKey } = config;
  if (ca === null && clientCert === null) return null;
  const [authority, cert, key] = await Promise.all([
    read("--ca", ca),
    read("--client-cert", clientCert),
    read("--client-key", clientKey ?? clientCert),
  ]);
  // Loaded only here: a server that is known needs nothing but what Node brings.
  const { Agent, fetch } = await import("undici");
  const dispatcher = new Agent({
    connect: {
      ...(authority !== null && { ca: [...getCACertificates("default"), authority] }),
      ...(cert !== null && { cert }),
      ...(key !== null && { key }),
    },
  });
  // undici's fetch is Node's own; only the names of their types differ.
  return ((input: string, init: object) => fetch(input, { ...init, dispatcher })) as unknown as Fetch;
}

async function read(flag: string, path: string | null): Promise<string | null> {
  if (path === null) return null;
  return await readFile(path, "utf8").catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    throw new BerthError("invalid_config", `${flag} names ${path}, which cannot be read (${code}).`);
  });
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BerthClient, createClient } from "@berth/client";
import { loadConfig, type LoadedConfig } from "../config/load.ts";

export interface ConnectFlags {
  readonly url?: string;
  readonly data?: string;
  readonly config?: string;
}

/** The environment, when it is not the process's own. */
type Env = Readonly<Record<string, string | undefined>> | undefined;

/** The configuration that the command line sees: flags before the environment, before the file. */
export function configOf({ url, data, config }: ConnectFlags, env?: Env): LoadedConfig {
  return loadConfig({ flags: { url, data, config }, ...(env !== undefined && { env }) });
}

/** Where the server is: the address that was given, else the one where a server with this configuration listens. */
export function serverUrl({ config }: LoadedConfig): string {
  if (config.url !== null) return config.url;
  const host = config.host === "0.0.0.0" ? "127.0.0.1" : config.host === "::" ? "::1" : config.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${config.port}`;
}

/**
 * The key to send, null when there is none: BERTH_API_KEY, else, for a server on this machine, BERTH_ADMIN_KEY or the admin.key
 * of the data folder. A server elsewhere never gets a key that was not meant for it.
 */
export async function apiKeyOf(loaded: LoadedConfig): Promise<string | null> {
  const { apiKey, adminKey, data } = loaded.config;
  if (apiKey !== null) return apiKey.reveal();
  if (!isThisMachine(serverUrl(loaded))) return null;
  if (adminKey !== null) return adminKey.reveal();
  try {
    return (await readFile(join(data, "admin.key"), "utf8")).trim();
  } catch {
    return null;
  }
}

function isThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** A client for the configured server. Checks that it answers, so that later retries bridge a restart and not an absence. */
export async function connect(flags: ConnectFlags, signal: AbortSignal, env?: Env): Promise<BerthClient> {
  const loaded = configOf(flags, env);
  const apiKey = await apiKeyOf(loaded);
  const client = createClient({
    baseUrl: serverUrl(loaded),
    ...(apiKey !== null && { apiKey }),
    // With the waits of the client this lasts about a minute: long enough for a restart.
    retries: 24,
  });
  await client.me({ retries: 0, signal });
  return client;
}

import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { BerthApiError, type BerthClient, createClient } from "@berth/client";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { RefusedKeyError } from "./exit.ts";
import { fetchOverTls } from "./tls-fetch.ts";
import { type Holder, readHolder } from "./lock-holder.ts";
import { type OnBusy, patienceOf } from "./patience.ts";

export interface ConnectFlags {
  readonly url?: string;
  readonly data?: string;
  readonly config?: string;
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
  /** In which organization, by id or slug. */
  readonly org?: string;
  /** How long to wait for what is busy, as a duration; false: not at all. */
  readonly wait?: string | boolean;
}

/** The environment, when it is not the process's own. */
type Env = Readonly<Record<string, string | undefined>> | undefined;

/** The configuration that the command line sees: flags before the environment, before the file. */
export function configOf(flags: ConnectFlags, env?: Env): LoadedConfig {
  const { url, data, config, ca, clientCert, clientKey } = flags;
  const given = { url, data, config, ca, clientCert, clientKey };
  return loadConfig({ flags: given, ...(env !== undefined && { env }) });
}

/** Where to send requests, and the key for there. */
export interface ServerAddress {
  readonly url: string;
  /** Null when there is none for this server. */
  readonly apiKey: string | null;
  /** What to do when the server does not take the key, or wants one. */
  readonly keyHint: string;
}

/**
 * The server: the address that was given, else where the server answers that holds the data folder, else where one with this
 * configuration listens. The key: BERTH_API_KEY, else for a server on this machine BERTH_ADMIN_KEY, else the admin.key of the
 * data folder, which goes to the server that holds that folder and to no other.
 */
export async function findServer(loaded: LoadedConfig): Promise<ServerAddress> {
  const { apiKey, adminKey, data, url: given } = loaded.config;
  const holder = await readHolder(data);
  const url = given ?? holder?.url ?? configuredUrl(loaded);
  if (apiKey !== null) return { url, apiKey: apiKey.reveal(), keyHint: "Is BERTH_API_KEY right?" };
  if (adminKey !== null && isThisMachine(url))
    return { url, apiKey: adminKey.reveal(), keyHint: "Is BERTH_ADMIN_KEY that server's?" };
  const text = await readFile(join(data, "admin.key"), "utf8").catch(() => null);
  const holds = isHeldBy(url, holder);
  const key = text?.trim() ?? null;
  return { url, apiKey: holds ? key : null, keyHint: folderHint({ data, url, found: key !== null, holds }) };
}

function folderHint(key: { data: string; url: string; found: boolean; holds: boolean }): string {
  const folder = shortPath(key.data);
  const what = !key.found
    ? `There is no admin.key in ${folder}.`
    : key.holds
      ? `The admin.key in ${folder} is not that server's.`
      : `The admin.key in ${folder} was not sent: the server at ${key.url} does not hold that folder.`;
  return `${what} Set BERTH_API_KEY (./berth login EMAIL makes one), or name the server's data folder with --data.`;
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short === "" || short.startsWith("..") ? path : `./${short}`;
}

function configuredUrl({ config }: LoadedConfig): string {
  const host = config.host === "0.0.0.0" ? "127.0.0.1" : config.host === "::" ? "::1" : config.host;
  const scheme = config.tlsCert === null ? "http" : "https";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${config.port}`;
}

function isHeldBy(url: string, holder: Holder | null): boolean {
  if (holder === null || holder.url === null) return false;
  const [asked, held] = [new URL(url), new URL(holder.url)];
  const sameHost = asked.hostname === held.hostname || (isThisMachine(url) && isThisMachine(holder.url));
  return sameHost && asked.protocol === held.protocol && asked.port === held.port;
}

function isThisMachine(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** Of a server that is asked without a key. */
export interface OpenConnection {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
}

/** The configured server, for what needs no key. */
export async function openConnection(flags: ConnectFlags, env?: Env): Promise<OpenConnection> {
  const loaded = configOf(flags, env);
  const { url } = await findServer(loaded);
  const tlsFetch = await fetchOverTls(loaded.config);
  return { url, fetch: tlsFetch ?? ((input, init) => globalThis.fetch(input, init)) };
}

/** A client for the configured server. Checks that it answers, so that later retries bridge a restart and not an absence. */
export async function connect(
  flags: ConnectFlags,
  signal: AbortSignal,
  { env, onBusy }: { readonly env?: Env; readonly onBusy?: OnBusy } = {},
): Promise<BerthClient> {
  const loaded = configOf(flags, env);
  const { url, apiKey, keyHint } = await findServer(loaded);
  const tlsFetch = await fetchOverTls(loaded.config);
  const client = createClient({
    baseUrl: url,
    ...(tlsFetch !== null && { fetch: tlsFetch }),
    ...(apiKey !== null && { apiKey }),
    ...(flags.org !== undefined && { org: flags.org }),
    // With the waits of the client this lasts about a minute: long enough for a restart.
    retries: 24,
    patienceMs: ({ code }) => patienceOf(flags, code),
    ...(onBusy !== undefined && {
      onRetry: ({ error }) => {
        if (error instanceof BerthApiError) onBusy(error);
      },
    }),
  });
  try {
    await client.me({ retries: 0, signal });
  } catch (error) {
    if (error instanceof BerthApiError && error.status === 401) throw new RefusedKeyError(error, keyHint);
    throw error;
  }
  return client;
}

import type { Response } from "undici";
import { createAddressRules } from "../lib/address-rules.ts";
import {
  checkedAddresses,
  portOf,
  type Resolve,
  type ResolvedAddress,
  systemResolve,
} from "../lib/checked-addresses.ts";
import { BerthError } from "../lib/errors.ts";
import type { FetchedPage, SafeFetch } from "./tool.ts";

export interface SafeFetchOptions {
  /** Asked once for each host of a chain of redirects. Default: the system's resolver. */
  readonly lookup?: Resolve;
  /** What the operator permits although it is private: `host:port`, or ranges such as `10.1.0.0/16`. */
  readonly allow?: readonly string[];
}

const maxRedirects = 5;
const maxUrlLength = 8_000;
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/**
 * An HTTP GET for addresses that models and tenants choose. Reaches public addresses only: the host is resolved once, every
 * address is checked, and the connection goes to a checked address; each redirect is a new host. Sends no credentials and
 * keeps no connection. Throws a BerthError `url_invalid`, `address_refused`, `too_many_redirects`, `fetch_timeout`,
 * `fetch_failed` or `aborted`; a status of 400 or more is a page like any other.
 */
export function createSafeFetch({ lookup = systemResolve, allow = [] }: SafeFetchOptions = {}): SafeFetch {
  const rules = createAddressRules(allow);

  return async (address, { maxBytes, timeoutMs, signal }) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const either = AbortSignal.any([signal, timeout]);
    try {
      let url = parseUrl(address);
      for (let redirects = 0; redirects <= maxRedirects; redirects++) {
        const place = { host: url.hostname, port: portOf(url) };
        const resolve: Resolve = (host) => untilAborted(lookup(host), either);
        const addresses = await checkedAddresses(place, { rules, resolve });
        const answer = await get({ url, addresses, maxBytes, signal: either });
        if ("page" in answer) return answer.page;
        url = parseUrl(answer.location, url);
      }
      throw new BerthError("too_many_redirects", `The page redirects more than ${maxRedirects} times.`);
    } catch (thrown) {
      if (thrown instanceof BerthError) throw thrown;
      if (signal.aborted) throw new BerthError("aborted", "The request was stopped.");
      if (timeout.aborted) {
        throw new BerthError("fetch_timeout", `The page did not come within ${timeoutMs / 1000} s.`, {
          retryable: true,
        });
      }
      throw new BerthError("fetch_failed", `The page could not be fetched: ${reasonOf(thrown)}.`, {
        retryable: true,
        cause: thrown,
      });
    }
  };
}

/** Takes http and https only; a user's name and password are left out. The URL standard rewrites hosts such as `0x7f.1`. */
function parseUrl(address: string, base?: URL): URL {
  const url = address.length > maxUrlLength ? null : URL.parse(address, base?.href);
  if (url === null)
    throw new BerthError("url_invalid", "Give a whole address, for example https://example.com/page.");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new BerthError("url_invalid", "Only http and https addresses can be fetched.");
  }
  url.username = "";
  url.password = "";
  url.hash = "";
  return url;
}

interface Get {
  readonly url: URL;
  readonly addresses: readonly ResolvedAddress[];
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

async function get({
  url,
  addresses,
  maxBytes,
  signal,
}: Get): Promise<{ page: FetchedPage } | { location: string }> {
  // Loaded by the first page: a server at rest has no use for it.
  const { Agent, fetch } = await import("undici");
  const agent = new Agent({
    connect: {
      // The addresses that were checked, whatever the name stands for by now.
      lookup: (_host, { all }, done) => {
        const [first] = addresses;
        if (all === true) done(null, [...addresses]);
        else done(null, first?.address ?? "", first?.family);
      },
    },
    maxResponseSize: -1,
  });
  try {
    const response = await fetch(url, {
      dispatcher: agent,
      redirect: "manual",
      signal,
      headers: { "user-agent": "Berth", accept: "text/html,application/xhtml+xml,text/*;q=0.9,*/*;q=0.8" },
    });
    const location = response.headers.get("location");
    if (redirectStatuses.has(response.status) && location !== null) return { location };
    const { body, truncated } = await readBody(response, maxBytes);
    const contentType = response.headers.get("content-type") ?? "";
    return { page: { url: url.href, status: response.status, contentType, body, truncated } };
  } finally {
    await agent.destroy();
  }
}

async function readBody(
  { body }: Response,
  maxBytes: number,
): Promise<{ body: Uint8Array; truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (body === null) return { body: new Uint8Array(), truncated: false };
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
    if (size > maxBytes) return { body: Buffer.concat(chunks), truncated: true };
  }
  return { body: Buffer.concat(chunks), truncated: false };
}

/** A resolver cannot be stopped; its late answer is not waited for. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(new Error("aborted"));
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The system's code of what went wrong, for example ECONNREFUSED; never an address. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "the connection failed";
}

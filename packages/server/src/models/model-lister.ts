import type { Clock } from "../lib/clock.ts";
import type { ModelProvider } from "./model-provider.ts";
import { networkCode } from "./network-error.ts";

const timeoutMs = 2_000;
const freshMs = 30_000;
const maxModels = 500;
const maxBytes = 4 * 1024 * 1024;

export interface ListerOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** A server's models, or why it named none. */
export interface Listing {
  readonly names: readonly string[];
  /** What it did instead, to follow its name: "does not answer (ECONNREFUSED)". Null when it listed models. */
  readonly problem: string | null;
}

interface Listed {
  readonly at: number;
  readonly listing: Promise<Listing>;
}

/**
 * Asks an OpenAI-compatible server for its models (`GET /models`) and remembers the answer for 30 s. A server that does not
 * answer within 2 s lists none.
 */
export function createModelLister(options: ListerOptions): (provider: ModelProvider) => Promise<Listing> {
  const { clock } = options;
  const known = new Map<string, Listed>();
  return (provider) => {
    const before = known.get(provider.name);
    if (before !== undefined && clock.monotonic() - before.at < freshMs) return before.listing;
    const listing = askInTime(options, provider).catch((thrown: unknown) => none(reasonOf(thrown)));
    known.set(provider.name, { at: clock.monotonic(), listing });
    return listing;
  };
}

async function askInTime({ fetch, clock }: ListerOptions, provider: ModelProvider): Promise<Listing> {
  const late = new AbortController();
  const limit = clock.after(timeoutMs, () =>
    late.abort(new DOMException("It took too long.", "TimeoutError")),
  );
  try {
    return await ask(fetch, provider, late.signal);
  } finally {
    limit.cancel();
  }
}

async function ask(
  fetch: ListerOptions["fetch"],
  provider: ModelProvider,
  signal: AbortSignal,
): Promise<Listing> {
  const { baseUrl = "", apiKey, headers } = provider;
  const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/models`, {
    headers: { ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
    signal,
    redirect: "error",
  });
  if (!response.ok) {
    await response.body?.cancel();
    return none(`answers with HTTP ${response.status} when it is asked for its models`);
  }
  const body: unknown = JSON.parse(await bounded(response));
  const data = typeof body === "object" && body !== null && "data" in body ? body.data : null;
  if (!Array.isArray(data)) return none(noList);
  const ids = (data as readonly { readonly id?: unknown }[]).map((one) => one?.id);
  const names = ids.filter((id) => typeof id === "string").slice(0, maxModels);
  return names.length === 0 ? none("lists no models") : { names, problem: null };
}

const noList = "answers with no list of models; check that its base URL ends as it should, often in /v1";

/** A list that is longer is none. */
async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new SyntaxError("the list is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function none(problem: string): Listing {
  return { names: [], problem };
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof SyntaxError) return noList;
  if (thrown instanceof Error && thrown.name === "TimeoutError")
    return `does not answer within ${timeoutMs / 1_000} s`;
  // A call that fetch refuses by itself (its list of bad ports, a redirect) has no code, only a cause that says so.
  const cause = thrown instanceof TypeError && thrown.cause instanceof Error ? thrown.cause.message : "";
  const code = networkCode(thrown) || cause;
  return code === "" ? "does not answer" : `does not answer (${code})`;
}

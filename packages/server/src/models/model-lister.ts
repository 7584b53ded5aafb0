import type { Clock } from "../lib/clock.ts";
import type { ModelProvider } from "./model-provider.ts";

const timeoutMs = 2_000;
const freshMs = 30_000;
const maxModels = 500;

export interface ListerOptions {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

interface Listed {
  readonly at: number;
  readonly names: Promise<readonly string[]>;
}

/**
 * Asks an OpenAI-compatible server for its models (`GET /models`) and remembers the answer for 30 s. A server that does not
 * answer within 2 s lists none.
 */
export function createModelLister({
  fetch,
  clock,
}: ListerOptions): (provider: ModelProvider) => Promise<readonly string[]> {
  const known = new Map<string, Listed>();
  return (provider) => {
    const before = known.get(provider.name);
    if (before !== undefined && clock.monotonic() - before.at < freshMs) return before.names;
    const names = ask(fetch, provider).catch(() => []);
    known.set(provider.name, { at: clock.monotonic(), names });
    return names;
  };
}

async function ask(fetch: typeof globalThis.fetch, provider: ModelProvider): Promise<readonly string[]> {
  const { baseUrl = "", apiKey, headers } = provider;
  const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/models`, {
    headers: { ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }), ...headers },
    signal: AbortSignal.timeout(timeoutMs),
    redirect: "error",
  });
  if (!response.ok) {
    await response.body?.cancel();
    return [];
  }
  const body: unknown = await response.json();
  const data = typeof body === "object" && body !== null && "data" in body ? body.data : null;
  if (!Array.isArray(data)) return [];
  const ids = (data as readonly { readonly id?: unknown }[]).map((one) => one?.id);
  return ids.filter((id) => typeof id === "string").slice(0, maxModels);
}

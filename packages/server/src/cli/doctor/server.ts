import { BerthApiError, type BerthClient, BerthConnectionError, createClient } from "@berth/client";
import type { LoadedConfig } from "../../config/load.ts";
import { findServer } from "../connection.ts";
import { tlsAdvice } from "../tls-advice.ts";
import { fetchOverTls } from "../tls-fetch.ts";
import { safeText } from "../terminal/safe-text.ts";
import type { Finding } from "./finding.ts";
import { judgeSandboxes } from "./isolation.ts";

export interface ServerFindings {
  readonly reachable: boolean;
  readonly findings: readonly Finding[];
}

/** Whether a server answers, knows the key, has models and isolates what agents run. */
export async function checkServer(loaded: LoadedConfig, signal: AbortSignal): Promise<ServerFindings> {
  const { url, apiKey, keyHint } = await findServer(loaded);
  const send = (await fetchOverTls(loaded.config)) ?? fetch;
  let skewMs = 0;
  const timed: typeof fetch = async (input, init) => {
    const response = await send(input, init);
    const date = Date.parse(response.headers.get("date") ?? "");
    if (!Number.isNaN(date)) skewMs = Math.abs(Date.now() - date);
    return response;
  };
  const client = createClient({
    baseUrl: url,
    retries: 0,
    timeoutMs: 5_000,
    fetch: timed,
    ...(apiKey !== null && { apiKey }),
  });
  try {
    const findings = await examine(client, signal);
    return { reachable: true, findings: [...findings, ...judgeSkew(skewMs)] };
  } catch (error) {
    const failed = judgeFailure(error, { url, hasKey: apiKey !== null, keyHint });
    return failed.reachable ? failed : { ...failed, findings: [...failed.findings, judgeProviders(loaded)] };
  }
}

async function examine(client: BerthClient, signal: AbortSignal): Promise<readonly Finding[]> {
  const system = await client.system({ signal });
  const { items } = await client.models.list({ signal });
  const real = items.filter(({ demo }) => !demo);
  return [
    { name: "server", status: "ok", detail: `Berth ${system.version}, up since ${system.startedAt}` },
    real.length > 0
      ? {
          name: "models",
          status: "ok",
          detail: `${counted(real.length, "model")} of ${counted(new Set(real.map(({ provider }) => provider)).size, "provider")}`,
        }
      : {
          name: "models",
          status: "warn",
          detail: "only the built-in demo",
          fix: "Set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider's key, and start the server again.",
        },
    ...judgeSandboxes(system.sandbox),
  ];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const providerSettings = /^(providers|.*ApiKey|openaiBaseUrl|anthropicBaseUrl)$/;

/** What a server would find, as far as the configuration tells. */
function judgeProviders({ settings }: LoadedConfig): Finding {
  const name = "models";
  const set = settings.filter((one) => providerSettings.test(one.name) && one.source !== "default");
  if (set.length > 0)
    return { name, status: "ok", detail: set.map((one) => `${one.name} is set`).join(", ") };
  const detail = "no provider is configured; a server uses Ollama when it answers, else the built-in demo";
  return {
    name,
    status: "warn",
    detail,
    fix: "Set OPENAI_API_KEY, ANTHROPIC_API_KEY or another provider's key.",
  };
}

/** Clocks that differ by more make expiries look wrong, milliseconds; the Date header counts whole seconds. */
const toleratedSkewMs = 5_000;

function judgeSkew(skewMs: number): readonly Finding[] {
  if (skewMs <= toleratedSkewMs) return [];
  const seconds = Math.round(skewMs / 1_000);
  return [
    {
      name: "server clock",
      status: "warn",
      detail: `differs by ${seconds} s from this machine's`,
      fix: "Let NTP keep both.",
    },
  ];
}

function judgeFailure(
  error: unknown,
  { url, hasKey, keyHint }: { url: string; hasKey: boolean; keyHint: string },
): ServerFindings {
  const name = "server";
  const untrusted = tlsAdvice(error);
  if (untrusted !== null) {
    const detail = `something answers at ${url}, and no connection over TLS can be made`;
    return { reachable: true, findings: [{ name, status: "fail", detail, fix: untrusted }] };
  }
  if (error instanceof BerthConnectionError) {
    const detail = `nothing answers at ${url}`;
    return { reachable: false, findings: [{ name, status: "warn", detail, fix: "Start it: npm start" }] };
  }
  if (error instanceof BerthApiError && error.status === 401) {
    const detail = hasKey
      ? `the server at ${url} does not take the key`
      : `there is no key for the server at ${url}`;
    return { reachable: true, findings: [{ name, status: "fail", detail, fix: keyHint }] };
  }
  if (error instanceof BerthApiError && error.status === 403) {
    const detail = `a Berth answers at ${url}; what it runs on is shown to its operator only`;
    return { reachable: true, findings: [{ name, status: "ok", detail }] };
  }
  const detail = `${url} answers, but not as a Berth: ${safeText(error instanceof Error ? error.message : String(error))}`;
  const fix = "Stop that program, or choose another port with --port or BERTH_PORT.";
  return { reachable: true, findings: [{ name, status: "fail", detail, fix }] };
}

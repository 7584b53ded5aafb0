import { type Clock, systemClock } from "./clock.ts";
import type { BerthApiError } from "./error.ts";
import { createHttp, type Retry } from "./http.ts";
import { createAccount } from "./resources/account.ts";
import { createAgents } from "./resources/agents.ts";
import { createApiKeys } from "./resources/api-keys.ts";
import { createApprovals } from "./resources/approvals.ts";
import { createData } from "./resources/data.ts";
import { createMembers } from "./resources/members.ts";
import { createOrgs } from "./resources/orgs.ts";
import { createAudit } from "./resources/audit.ts";
import { createBudgets } from "./resources/budgets.ts";
import { createQuotas } from "./resources/quotas.ts";
import { createUsage } from "./resources/usage.ts";
import { createLogins } from "./resources/logins.ts";
import { createRuns } from "./resources/runs.ts";
import { createSandboxSecrets } from "./resources/sandbox-secrets.ts";
import { createServiceAccounts } from "./resources/service-accounts.ts";
import { createSandboxes } from "./resources/sandboxes.ts";
import { createSessions } from "./resources/sessions.ts";
import { createSystem } from "./resources/system.ts";
import { createModelProviders } from "./resources/model-providers.ts";
import { createUserConfig } from "./resources/user-config.ts";
import { createVaultResource } from "./resources/vault.ts";
import type { Connector } from "./session/event-source.ts";
import { createSessionHandle } from "./session/session-handle.ts";
import { watch, type WatchOptions } from "./watch.ts";

export interface ClientOptions {
  /** Where the server is, for example `http://127.0.0.1:7420`. */
  readonly baseUrl: string;
  /** Sent as `Authorization: Bearer`; a function is asked before each request. */
  readonly apiKey?: string | (() => string | Promise<string>);
  /** In which organization, by id or slug, for who may act in several; sent as `X-Berth-Org`. */
  readonly org?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly WebSocket?: typeof globalThis.WebSocket;
  /** How often a request is sent again that got no answer, or 429, 502, 503 or 504; default 6, which lasts some 10 s. */
  readonly retries?: number;
  /** How long one attempt of a request may take, milliseconds; default 60,000. */
  readonly timeoutMs?: number;
  /** A stream that brings nothing for so long is opened anew, milliseconds; default 30,000. */
  readonly silenceMs?: number;
  /** Waits between attempts: uniform up to `baseMs`, doubled each time up to `capMs`; default 250 and 5,000. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** For how long after its first attempt a request may be sent again that was refused so, milliseconds; default: as long as the retries last. */
  readonly patienceMs?: (refusal: BerthApiError) => number;
  /** Told before each wait for another attempt of a request. */
  readonly onRetry?: (retry: Retry) => void;
  /** For tests. */
  readonly clock?: Clock;
  /** Uniform in [0, 1); for tests. */
  readonly random?: () => number;
}

export type BerthClient = ReturnType<typeof createClient>;

/** A typed client of one Berth server, for browsers and Node. It holds nothing open between calls. */
export function createClient(options: ClientOptions) {
  const http = createHttp({
    baseUrl: options.baseUrl,
    ...(options.apiKey !== undefined && { apiKey: options.apiKey }),
    ...(options.org !== undefined && { org: options.org }),
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    retries: options.retries ?? 6,
    backoff: options.backoff ?? { baseMs: 250, capMs: 5_000 },
    timeoutMs: options.timeoutMs ?? 60_000,
    patienceMs: options.patienceMs ?? (() => Number.POSITIVE_INFINITY),
    onRetry: options.onRetry ?? (() => {}),
  });
  const connector: Connector = {
    http,
    WebSocket: options.WebSocket ?? globalThis.WebSocket,
    silenceMs: options.silenceMs ?? 30_000,
  };
  return {
    /** Where the server is. */
    baseUrl: options.baseUrl,
    ...createSystem(http),
    agents: createAgents(http),
    sessions: createSessions(http),
    ...createSandboxes(connector),
    logins: createLogins(http),
    runs: createRuns(http),
    approvals: createApprovals(http),
    audit: createAudit(http),
    quotas: createQuotas(http),
    budgets: createBudgets(http),
    usage: createUsage(http),
    orgs: createOrgs(http),
    ...createMembers(http),
    serviceAccounts: createServiceAccounts(http),
    apiKeys: createApiKeys(http),
    account: createAccount(http),
    ...createData(http),
    modelProviders: createModelProviders(http),
    sandboxSecrets: createSandboxSecrets(http),
    userConfig: createUserConfig(http),
    vault: createVaultResource(http),
    /** A handle on a session that exists. */
    session: (id: string) => createSessionHandle(connector, id),
    /** Hints that a list may have changed. */
    watch: (what: WatchOptions) => watch(connector, what),
  };
}

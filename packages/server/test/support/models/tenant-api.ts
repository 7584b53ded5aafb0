import { afterEach } from "vitest";
import { providersTopic, type ProvidersHint } from "../../../src/coordination/provider-hints.ts";
import type { Principal } from "../../../src/auth/principal.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { Models } from "../../../src/models/model.ts";
import { type OpenModels, openModels } from "../../../src/roles/models.ts";
import { createRedactor } from "../../../src/telemetry/redaction.ts";
import { Api, type ApiOptions } from "../http/api.ts";
import { scriptedClient, text } from "../runtime/scripted-client.ts";
import { type FaultServer, startFaultServer } from "./fault-server.ts";

/** The API with a worker and the models of a real server: each provider is called over HTTP. */
export interface TenantApi {
  readonly api: Api;
  /** A model endpoint on this machine, which the operator permits. It answers `Hello.` to everything. */
  readonly endpoint: FaultServer;
  /** As the API sends and reads, for somebody else. */
  readonly as: (who: Partial<Principal>) => { readonly fetch: (request: Request) => Promise<Response> };
}

export interface TenantApiOptions extends ApiOptions {
  /** Environment of the server, for its own providers. Gets the endpoint's address. */
  readonly env?: (url: string) => Readonly<Record<string, string>>;
  /** What the operator permits besides the endpoint. */
  readonly allow?: readonly string[];
}

export function useTenantApi(): (options?: TenantApiOptions) => Promise<TenantApi> {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end();
  });
  return async ({ env, allow = [], ...options } = {}) => {
    const endpoint = await startFaultServer();
    endpoint.answer((reply) => reply.send(200, { "content-type": "application/json" }, completion("Hello.")));
    ends.push(() => endpoint.close());
    const redactor = createRedactor();
    const nobody = scriptedClient(() => text("The server's models are not open yet."));
    let models: Models = nobody;
    const late: Models = {
      ...nobody,
      knows: (name) => models.knows(name),
      list: () => models.list(),
      of: (scope) => models.of(scope),
    };
    const redact = (written: string, scope: { orgId: string; owner: string }) =>
      redactor.values(written, scope);
    const places = { allow: [new URL(endpoint.url).host, ...allow], ...options.places };
    const api = await Api.open({
      ...options,
      places,
      overrides: { models: late, redact, ...options.overrides },
    });
    ends.push(() => api.close());
    const { operations } = api;
    const quiet = { BERTH_OLLAMA_DISCOVERY: "false", ...env?.(endpoint.url) };
    const { config } = loadConfig({ env: quiet, cwd: api.harness.dataDir });
    const { store, vault, telemetry, bus } = operations;
    const parts = { store, vault, telemetry, redactor, places: operations.places };
    const opened: OpenModels = await openModels(
      { ...config, userModelProviders: operations.settings.userModelProviders },
      systemClock,
      parts,
    );
    ends.push(() => opened.close());
    models = opened.models;
    await bus.subscribe(providersTopic, (hint) => opened.models.recheck((hint as ProvidersHint).orgId));
    const as = (who: Partial<Principal>) => ({ fetch: api.appFor({ ...api.principal, ...who }) });
    return { api, endpoint, as };
  };
}

/** A chat completion as one JSON reply. */
export function completion(content: string): string {
  return JSON.stringify({
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  });
}

/** The system prompt of a request that came to a model endpoint. */
export function systemOf({ body }: { readonly body: string }): string {
  const { messages } = JSON.parse(body) as { messages: readonly { role: string; content: string }[] };
  return messages.find(({ role }) => role === "system")?.content ?? "";
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openRefusingPort } from "../../../client/test/support/refusing-port.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { type FaultServer, type Reply, startFaultServer } from "../../test/support/models/fault-server.ts";
import { createModelCatalog } from "./catalog.ts";
import { defaultProviders, demoProvider, scriptedProvider } from "./default-providers.ts";
import { detectOllama } from "./detect-ollama.ts";
import type { ModelProvider, ProviderKind } from "./model-provider.ts";
import type { ModelAdapter } from "./model.ts";

const json = { "content-type": "application/json" };

function catalogOf(providers: readonly ModelProvider[], fetch?: typeof globalThis.fetch) {
  const made: string[] = [];
  const factory =
    (kind: ProviderKind) =>
    (provider: ModelProvider): ModelAdapter => {
      made.push(`${kind} ${provider.name}`);
      return {
        stream: () => {
          throw new Error("not called");
        },
      };
    };
  const factories = {
    "openai-compatible": factory("openai-compatible"),
    anthropic: factory("anthropic"),
    "ai-sdk": factory("ai-sdk"),
    scripted: factory("scripted"),
  };
  const clock = createManualClock();
  return {
    catalog: createModelCatalog({ providers, factories, clock, ...(fetch && { fetch }) }),
    made,
    clock,
  };
}

const own: ModelProvider = {
  name: "own",
  kind: "openai-compatible",
  baseUrl: "http://127.0.0.1:9/v1",
  apiKey: null,
  models: [],
};

describe("the catalog", () => {
  it("finds a model by provider and name, and makes one adapter for each provider", () => {
    const { catalog, made } = catalogOf([
      ...defaultProviders({ openaiApiKey: "k", anthropicApiKey: "k" }),
      demoProvider,
    ]);
    expect(catalog.resolve("openai/gpt-5.4")?.model).toBe("gpt-5.4");
    expect(catalog.resolve("openai/gpt-5.4-mini")?.adapter).toBe(catalog.resolve("openai/gpt-5.4")?.adapter);
    catalog.resolve("anthropic/claude-sonnet-5");
    expect(made).toEqual(["openai-compatible openai", "anthropic anthropic"]);
    for (const name of ["nobody/gpt-5.4", "openai", "openai/", "/gpt-5.4", ""])
      expect(catalog.resolve(name)).toBeNull();
  });

  it("keeps slashes in a model's name", () => {
    const { catalog } = catalogOf(defaultProviders({ openrouterApiKey: "k" }));
    expect(catalog.resolve("openrouter/meta-llama/llama-4:free")?.model).toBe("meta-llama/llama-4:free");
  });

  it("knows window and price of well-known models by their prefix", () => {
    const { catalog } = catalogOf(defaultProviders({ openaiApiKey: "k", anthropicApiKey: "k" }));
    const info = (name: string) => catalog.resolve(name)?.info;
    expect(info("openai/gpt-4o-2024-08-06")).toMatchObject({
      contextWindow: 128_000,
      price: { input: 2.5, output: 10, cacheRead: 1.25 },
    });
    expect(info("openai/gpt-4o-mini-2024-07-18")).toMatchObject({ price: { input: 0.15 } });
    expect(info("anthropic/claude-opus-4-20250514")).toMatchObject({
      price: { input: 15, cacheWrite: 18.75 },
    });
    expect(info("anthropic/claude-sonnet-4-5-20250929")).toMatchObject({
      contextWindow: 200_000,
      maxOutputTokens: 64_000,
    });
    expect(info("openai/gpt-4omega")).toMatchObject({
      contextWindow: 128_000,
      maxOutputTokens: null,
      price: null,
      demo: false,
    });
  });

  it("offers the well-known models that can be called by their names", async () => {
    const { catalog } = catalogOf(defaultProviders({ anthropicApiKey: "k", mistralApiKey: "k" }));
    const names = (await catalog.list()).map(({ name }) => name);
    expect(names[0]).toBe("anthropic/claude-sonnet-5-5");
    expect(names).toContain("mistral/mistral-medium-latest");
    expect(names).not.toContain("anthropic/claude-opus-4");
    for (const name of names) expect(catalog.resolve(name)?.info.price).not.toBeNull();
  });

  it("takes no list price for a server of one's own, but its models' windows", () => {
    const { catalog } = catalogOf(defaultProviders({ openaiBaseUrl: "http://127.0.0.1:9/v1" }));
    expect(catalog.resolve("openai/gpt-4.1")?.info).toMatchObject({ contextWindow: 1_047_576, price: null });
  });

  it("knows what OpenRouter asks for other makers' models", () => {
    const { catalog } = catalogOf(defaultProviders({ openrouterApiKey: "k" }));
    expect(catalog.resolve("openrouter/anthropic/claude-sonnet-4.5")?.info.price).toMatchObject({ input: 3 });
    expect(catalog.resolve("openrouter/openai/gpt-5-mini")?.info.price).toMatchObject({ input: 0.25 });
  });

  it("lets configuration say otherwise", () => {
    const price = { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 };
    const { catalog } = catalogOf([{ ...own, models: [{ name: "m", contextWindow: 5_000, price }] }]);
    expect(catalog.resolve("own/m")?.info).toMatchObject({ contextWindow: 5_000, price });
    expect(catalog.resolve("own/other")?.info).toMatchObject({ contextWindow: 128_000, price: null });
  });

  it("has only the scripted models that there are", async () => {
    const { catalog } = catalogOf([demoProvider, scriptedProvider]);
    expect(catalog.resolve("demo/tour")?.info.demo).toBe(true);
    expect(catalog.resolve("demo/gpt")).toBeNull();
    expect((await catalog.list()).map(({ name }) => name)).toEqual([
      "demo/tour",
      "scripted/script",
      "scripted/echo",
    ]);
  });
});

describe("models that a server lists itself", () => {
  let server: FaultServer;
  beforeEach(async () => {
    server = await startFaultServer();
  });
  afterEach(() => server.close());

  it("are asked for with the key and remembered for a while", async () => {
    server.answer((reply) =>
      reply.send(
        200,
        { ...json, connection: "close" },
        JSON.stringify({ data: [{ id: "llama:8b" }, { id: 7 }, null] }),
      ),
    );
    const { catalog, clock } = catalogOf(
      [{ ...own, apiKey: "secret-key", baseUrl: `${server.url}/v1/` }],
      fetch,
    );
    expect((await catalog.list()).map(({ name }) => name)).toEqual(["own/llama:8b"]);
    await catalog.list();
    expect(server.requests.map(({ path, headers }) => `${path} ${headers["authorization"]}`)).toEqual([
      "/v1/models Bearer secret-key",
    ]);
    await clock.advance(30_000);
    await catalog.list();
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ["an error", 500, "no", /HTTP 500/],
    ["garbage", 200, "{{{", /no list of models/],
    ["another shape", 200, '{"data": "none"}', /no list of models/],
    ["an empty list", 200, '{"data": []}', /lists no models/],
  ])("are none when it answers with %s, and it is said why", async (_what, status, body, why) => {
    server.answer((reply) => reply.send(status, { ...json, connection: "close" }, body));
    const { catalog } = catalogOf([{ ...own, baseUrl: `${server.url}/v1` }], fetch);
    expect(await catalog.list()).toEqual([]);
    const problem: unknown = expect.stringMatching(why);
    expect(await catalog.problems()).toEqual([{ provider: "own", at: `${server.url}/v1`, problem }]);
  });

  it("are none when nobody answers, which is no problem of the others", async () => {
    await using nobody = await openRefusingPort();
    const mine = { ...own, baseUrl: `${nobody.url}/v1?key=k` };
    const { catalog } = catalogOf([mine, ...defaultProviders({ openaiApiKey: "k" }), demoProvider], fetch);
    const problem = "does not answer (ECONNREFUSED)";
    expect(await catalog.problems()).toEqual([{ provider: "own", at: `${nobody.url}/v1`, problem }]);
  });

  it("are none when it does not answer within 2 s", async () => {
    const asked = new Promise<Reply>((resolve) => server.answer(resolve));
    const { catalog, clock } = catalogOf([{ ...own, baseUrl: `${server.url}/v1` }], fetch);
    const problems = catalog.problems();
    const reply = await asked;
    reply.head(200, json);
    await clock.advance(1_999);
    expect(clock.timers()).toBe(1);
    await clock.advance(1);
    expect(await problems).toMatchObject([{ problem: "does not answer within 2 s" }]);
    await reply.gone;
  });

  it("are none at a port that fetch does not call", async () => {
    const { catalog } = catalogOf([{ ...own, baseUrl: "http://127.0.0.1:1/v1" }], fetch);
    expect(await catalog.problems()).toMatchObject([{ problem: "does not answer (bad port)" }]);
  });

  it("finds Ollama where it answers, and nothing else for Ollama", async () => {
    server.answer((reply) => reply.send(200, { ...json, connection: "close" }, '{"version":"0.9.0"}'));
    const found = await detectOllama({ fetch, host: `${server.url}/`, timeoutMs: 5_000 });
    expect(found).toMatchObject({
      name: "ollama",
      kind: "openai-compatible",
      baseUrl: `${server.url}/v1`,
      apiKey: null,
    });
    server.answer((reply) =>
      reply.send(200, { "content-type": "text/html", connection: "close" }, "<html></html>"),
    );
    expect(await detectOllama({ fetch, host: server.url, timeoutMs: 5_000 })).toBeNull();
    await using nobody = await openRefusingPort();
    expect(await detectOllama({ fetch, host: nobody.url, timeoutMs: 5_000 })).toBeNull();
  });
});

describe("the providers of the usual variables", () => {
  it("are those that have a key, or a base URL of their own", () => {
    expect(defaultProviders({})).toEqual([]);
    expect(defaultProviders({ openaiApiKey: null, groqApiKey: "" })).toEqual([]);
    expect(defaultProviders({ openaiBaseUrl: "http://h/v1" })).toMatchObject([
      { name: "openai", baseUrl: "http://h/v1", apiKey: null },
    ]);
    const all = defaultProviders({
      openaiApiKey: "1",
      anthropicApiKey: "2",
      deepseekApiKey: "3",
      groqApiKey: "4",
      mistralApiKey: "5",
      geminiApiKey: "6",
      openrouterApiKey: "7",
      xaiApiKey: "8",
    });
    expect(all.map(({ name, kind, apiKey }) => `${name} ${kind} ${apiKey}`)).toEqual([
      "openai openai-compatible 1",
      "anthropic anthropic 2",
      "deepseek openai-compatible 3",
      "groq openai-compatible 4",
      "mistral ai-sdk 5",
      "google ai-sdk 6",
      "openrouter openai-compatible 7",
      "xai openai-compatible 8",
    ]);
  });
});

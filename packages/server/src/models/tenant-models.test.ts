import { describe, expect, it } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { layerOf, type ModelLayer } from "./layered-models.ts";
import type { ModelAdapter, ModelClient, ModelPart, ModelScope } from "./model.ts";
import { modelError } from "./model-error.ts";
import type { ModelProvider } from "./model-provider.ts";
import { createModelCatalog } from "./catalog.ts";
import { createBreakers } from "./retry.ts";
import { createTenantModels } from "./tenant-models.ts";

const provider = (name: string, apiKey: string, models: readonly string[] = []): ModelProvider => ({
  name,
  kind: "openai-compatible",
  baseUrl: "https://models.example/v1",
  apiKey,
  models: models.map((model) => ({ name: model, contextWindow: 1_000 })),
});

/** Says whose key it was called with; those with a `!` fail. */
function saying({ apiKey }: ModelProvider): ModelAdapter {
  const broken = modelError("server_error", "broken", { retryable: false });
  const parts: readonly ModelPart[] = apiKey?.includes("!")
    ? [{ type: "error", error: broken }]
    : [
        { type: "text", block: 0, text: apiKey ?? "" },
        { type: "finish", finish: "stop" },
      ];
  return {
    async *stream() {
      yield parts;
    },
  };
}

function rig(tenants: Record<string, readonly ModelProvider[]>, server = [provider("a", "server")]) {
  const clock = createManualClock();
  const layer = (providers: readonly ModelProvider[]): ModelLayer => {
    const factories = { "openai-compatible": saying, anthropic: saying, "ai-sdk": saying, scripted: saying };
    const catalog = createModelCatalog({ providers, factories, clock });
    return layerOf(providers, { catalog, breakerOf: createBreakers(clock) });
  };
  const state = { versions: new Map<string, number>(), reads: 0, asked: 0, fail: false };
  const models = createTenantModels({
    server: layer(server),
    clock,
    tenants: {
      async version(orgId) {
        state.asked += 1;
        if (state.fail) throw new Error("no store");
        return state.versions.get(orgId) ?? Number(Object.keys(tenants).some((key) => key.startsWith(orgId)));
      },
      async layer({ orgId, owner }) {
        state.reads += 1;
        const found = tenants[`${orgId}/${owner}`] ?? [];
        return found.length === 0 ? null : layer(found);
      },
    },
  });
  return { clock, models, state };
}

async function answer(client: ModelClient, ...models: readonly string[]): Promise<string> {
  const request = { system: "", messages: [], tools: [], settings: {} };
  let said = "";
  for await (const parts of client.stream({ models, request }, new AbortController().signal))
    for (const part of parts) {
      if (part.type === "text") said += part.text;
      if (part.type === "error") said += part.error.code;
    }
  return said;
}
const org = "org_a";
const ada: ModelScope = { orgId: org, owner: "usr_ada" };
const bob: ModelScope = { orgId: org, owner: "usr_bob" };

describe("models of tenants", () => {
  const tenants = { "org_a/": [provider("a", "org")], "org_a/usr_ada": [provider("a", "ada")] };

  it("are the owner's, then the organization's, then the server's", async () => {
    const { models } = rig(tenants);
    expect(await answer(models.of(ada), "a/x")).toBe("ada");
    expect(await answer(models.of(bob), "a/x")).toBe("org");
    expect(await answer(models.of({ orgId: "org_b", owner: "usr_ada" }), "a/x")).toBe("server");
    expect(await answer(models, "a/x")).toBe("server");
  });

  it("leave what they do not list to the next", async () => {
    const { models } = rig({ "org_a/": [provider("a", "org", ["big"])] });
    const client = models.of(bob);
    expect(await answer(client, "a/big")).toBe("org");
    expect(await answer(client, "a/small")).toBe("server");
    expect(client.info("a/big")?.contextWindow).toBe(1_000);
    expect(client.info("a/small")?.contextWindow).toBe(128_000);
    expect(client.knows("b/x")).toBe(false);
  });

  it("fall back from one level to another", async () => {
    const { models } = rig({ "org_a/": [provider("mine", "!")] });
    expect(await answer(models.of(bob), "mine/x", "a/x")).toBe("server");
  });

  it("cost nothing where nobody has own providers, but a look every two seconds", async () => {
    const { models, state, clock } = rig({});
    const client = models.of(bob);
    for (let n = 0; n < 100; n++) await answer(client, "a/x");
    expect(state).toMatchObject({ asked: 1, reads: 0 });
    await clock.advance(2_000);
    await answer(client, "a/x");
    expect(state).toMatchObject({ asked: 2, reads: 0 });
  });

  it("are read again when they changed, at once after a hint", async () => {
    const changing: Record<string, readonly ModelProvider[]> = { "org_a/": [provider("a", "old")] };
    const { models, state, clock } = rig(changing);
    const client = models.of(bob);
    expect(await answer(client, "a/x")).toBe("old");
    changing["org_a/"] = [provider("a", "new")];
    state.versions.set(org, 2);
    expect(await answer(client, "a/x")).toBe("old");
    models.recheck(org);
    expect(await answer(client, "a/x")).toBe("new");
    changing["org_a/"] = [];
    state.versions.set(org, 3);
    await clock.advance(2_000);
    expect(await answer(client, "a/x")).toBe("server");
  });

  it("share no circuit breaker with other organizations, other owners or the server", async () => {
    const { models } = rig({
      "org_a/": [provider("a", "!org")],
      "org_a/usr_ada": [provider("a", "!ada")],
      "org_b/": [provider("a", "org b")],
    });
    for (let n = 0; n < 20; n++) await answer(models.of(bob), "a/x");
    expect(await answer(models.of(bob), "a/x")).toBe("circuit_open");
    expect(await answer(models.of({ orgId: org, owner: "usr_cyd" }), "a/x")).toBe("circuit_open");
    expect(await answer(models.of(ada), "a/x")).toBe("server_error");
    expect(await answer(models.of({ orgId: "org_b", owner: "usr_bob" }), "a/x")).toBe("org b");
    expect(await answer(models, "a/x")).toBe("server");
  });

  it("end a call with an error when they cannot be read", async () => {
    const { models, state } = rig(tenants);
    state.fail = true;
    expect(await answer(models.of(ada), "a/x")).toBe("server_error");
    state.fail = false;
    expect(await answer(models.of(ada), "a/x")).toBe("ada");
  });

  it("are listed once by name, the nearest first", async () => {
    const { models } = rig({ "org_a/": [provider("a", "org", ["x", "y"])] }, [
      provider("a", "server", ["y", "z"]),
    ]);
    expect((await models.of(bob).list()).map(({ name }) => name)).toEqual(["a/x", "a/y", "a/z"]);
  });
});

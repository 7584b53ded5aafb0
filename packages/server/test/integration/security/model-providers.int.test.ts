import { type AddressInfo, createServer, type Server } from "node:net";
import type { ModelInfo } from "@berth/contract";
import { afterEach, describe, expect, it } from "vitest";
import type { ResolvedAddress } from "../../../src/lib/checked-addresses.ts";
import { auditDraft } from "../../../src/operations/audit-draft.ts";
import { stranger } from "../../support/http/api.ts";
import { useTenantApi } from "../../support/models/tenant-api.ts";
import { testTool } from "../../support/runtime/test-tools.ts";

const serverKey = "CANARY_server_5a5a5a5a5a";
const orgKey = "CANARY_org_1b1b1b1b1b1b";
const userKey = "CANARY_user_7c7c7c7c7c7c";
const plainSettings = {
  sandboxAllocationStrategy: "Session-Exclusive",
  sandboxPoolQuota: 5,
  autoScrollEnabled: true,
  taskCompletionNotificationEnabled: true,
  inputSuggestionsEnabled: true,
  sharedLinks: [],
  customSpFragments: [],
} as const;
const env = (url: string) => ({
  BERTH_PROVIDERS: JSON.stringify([
    {
      name: "shared",
      kind: "openai-compatible",
      baseUrl: `${url}/v1`,
      apiKey: serverKey,
      models: [{ name: "m" }],
    },
  ]),
});

/** Something private that counts who connects. */
async function privateService(): Promise<{ server: Server; port: number; connections: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port, connections: () => count };
}

describe("model providers of tenants", () => {
  const start = useTenantApi();
  const services: Server[] = [];
  afterEach(async () => {
    for (const server of services.splice(0)) await new Promise((resolve) => server.close(resolve));
  });
  const service = async () => {
    const made = await privateService();
    services.push(made.server);
    return made;
  };

  it("serve the sessions of their owner, then of their organization, then everybody's", async () => {
    const { api, endpoint, as } = await start({ env });
    const bob = as({ id: "usr_bob" });
    const other = { fetch: api.appFor(stranger()) };
    const everybody = [{}, bob, other];
    for (const who of everybody) {
      const made = await api.post("/agents", { name: "tester", model: "shared/m" }, who);
      expect([201, 409]).toContain(made.status);
    }
    const baseURL = `${endpoint.url}/v1`;
    const talk = async (who: object) => {
      const before = endpoint.requests.length;
      const { id } = (await api.post("/sessions", { agent: "tester" }, who)).json<{ id: string }>();
      await api.post(`/sessions/${id}/events`, { events: [{ type: "user.message", content: "hi" }] }, who);
      for (;;) {
        const runs = (await api.get(`/sessions/${id}/runs`, who)).json<{
          items: readonly { finishedAt: unknown }[];
        }>();
        if (runs.items[0]?.finishedAt != null) break;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return endpoint.requests.slice(before).map(({ headers }) => headers["authorization"]);
    };
    const all = async () => [await talk({}), await talk(bob), await talk(other)].flat();
    const bearer = (...keys: readonly string[]) => keys.map((key) => `Bearer ${key}`);
    expect(await all()).toEqual(bearer(serverKey, serverKey, serverKey));
    await api.put("/model-providers/shared", { baseURL, apiKey: orgKey });
    expect(await all()).toEqual(bearer(orgKey, orgKey, serverKey));
    await api.put("/user-config/model-providers", {
      modelProviders: [{ name: "shared", baseURL, apiKey: userKey }],
    });
    expect(await all()).toEqual(bearer(userKey, orgKey, serverKey));
    await api.delete("/user-config");
    await api.delete("/model-providers/shared");
    expect(await all()).toEqual(bearer(serverKey, serverKey, serverKey));
  });

  it("are listed to who may call them, and a session may name their models", async () => {
    const { api, endpoint, as } = await start({ env });
    const baseURL = `${endpoint.url}/v1`;
    await api.put("/model-providers/org", { baseURL, models: ["big"] });
    const modelProviders = [{ name: "own", baseURL, models: ["mine"] }];
    await api.put("/user-config/model-providers", { modelProviders });
    const bob = as({ id: "usr_bob" });
    const names = async (who: object) => {
      const { items } = (await api.get("/models", who)).json<{ items: readonly ModelInfo[] }>();
      return items.flatMap(({ name, demo }) => (demo ? [] : [name]));
    };
    expect(await names({})).toEqual(["own/mine", "org/big", "shared/m"]);
    expect(await names(bob)).toEqual(["org/big", "shared/m"]);
    expect(await names({ fetch: api.appFor(stranger()) })).toEqual(["shared/m"]);
    await api.agent();
    const create = (who: object) => api.post("/sessions", { agent: "tester", model: "own/mine" }, who);
    expect((await create({})).status).toBe(201);
    expect((await create(bob)).problem()).toMatchObject({ status: 422, code: "unknown_model" });
  });

  it("of users are not called where the operator forbids them", async () => {
    const { api, endpoint } = await start({ env, operations: { userModelProviders: false } });
    const own = { name: "shared", kind: "anthropic", baseUrl: "https://own.example", hasKey: false } as const;
    const { store } = api.operations;
    // From before it was forbidden.
    await store.org(api.harness.orgId).userConfig.put({
      userId: "usr_test",
      ifVersion: 0,
      settings: { ...plainSettings, modelProviders: [{ ...own, headers: [], models: [] }] },
      secrets: { put: [], drop: [], by: "usr_test" },
      audit: auditDraft(
        api.principal,
        { requestId: null, address: null },
        { action: "test.done", target: null },
      ),
    });
    await api.agent({ model: "shared/m" });
    const { id } = await api.session();
    await api.say(id, "hi");
    await api.until(id, "run.finished");
    expect(endpoint.requests.map(({ headers }) => headers["authorization"])).toEqual([`Bearer ${serverKey}`]);
  });

  it("AGT-05: a key that the provider quotes is in no event, and one that a tool finds is struck out", async () => {
    const shout = testTool("shout", () => ({ ok: true, content: `the key is ${orgKey}` }));
    const { api, endpoint } = await start({ env, tools: [shout] });
    await api.put("/model-providers/acme", { baseURL: `${endpoint.url}/v1`, apiKey: orgKey });
    await api.agent({ model: "acme/m", tools: ["shout"] });
    const { id } = await api.session();
    endpoint.answer((reply, { headers }) =>
      reply.send(
        401,
        { "content-type": "application/json" },
        JSON.stringify({ error: headers["authorization"] }),
      ),
    );
    await api.say(id, "hi");
    const finished = await api.until(id, "run.finished");
    expect(finished.data.error).toMatchObject({ code: "authentication_failed" });
    expect(finished.data.error?.message).toContain("[secret]");

    endpoint.answer((reply) => {
      const call = { id: "c", type: "function", function: { name: "shout", arguments: "{}" } };
      const choice = {
        index: 0,
        message: { role: "assistant", tool_calls: [call] },
        finish_reason: "tool_calls",
      };
      const last = endpoint.requests.length > 2;
      const text = { index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "stop" };
      const body = JSON.stringify({ choices: [last ? text : choice] });
      reply.send(200, { "content-type": "application/json" }, body);
    });
    await api.say(id, "again");
    await api.harness.finished(id, 2);
    const log = JSON.stringify(await api.harness.log(id));
    expect(log).toContain("the key is [secret]");
    expect(log).not.toContain(orgKey);
    expect(endpoint.requests.at(-1)?.body).not.toContain(orgKey);
  });

  it("NET-10: a base URL of a private place is refused when it is saved", async () => {
    const names: Record<string, readonly ResolvedAddress[]> = {
      "public.example": [{ address: "93.184.215.14", family: 4 }],
      "half.example": [
        { address: "93.184.215.14", family: 4 },
        { address: "10.0.0.1", family: 4 },
      ],
      "internal.example": [{ address: "fd00::1", family: 6 }],
    };
    const { api } = await start({
      env,
      places: { resolve: async (host) => names[host] ?? [] },
      allow: ["10.9.0.0/16"],
    });
    const hosts = [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f000001",
      "0177.0.0.1",
      "localhost",
      "a.localhost.",
      "[::1]",
      "[::ffff:127.0.0.1]",
      "[::ffff:a9fe:a9fe]",
      "[64:ff9b::a00:1]",
      "10.0.0.1",
      "192.168.1.1",
      "172.16.0.1",
      "100.64.0.1",
      "169.254.169.254",
      "0.0.0.0",
      "[fe80::1]",
      "half.example",
      "internal.example",
    ];
    for (const host of hosts) {
      const saved = await api.put("/model-providers/acme", { baseURL: `https://${host}/v1` });
      expect([saved.status, saved.problem().code, host]).toEqual([422, "address_refused", host]);
      const own = { modelProviders: [{ name: "acme", baseURL: `https://${host}/v1` }] };
      expect((await api.put("/user-config/model-providers", own)).problem().code).toBe("address_refused");
    }
    const plain = await api.put("/model-providers/acme", { baseURL: "http://public.example/v1" });
    expect(plain.problem().detail).toContain("with https only");
    expect((await api.put("/model-providers/acme", { baseURL: "http://10.9.1.1/v1" })).status).toBe(200);
    expect((await api.put("/model-providers/acme", { baseURL: "https://public.example/v1" })).status).toBe(
      200,
    );
    // A name that cannot be looked up now is checked when it is called.
    expect((await api.put("/model-providers/acme", { baseURL: "https://nobody.example/v1" })).status).toBe(
      200,
    );
  });

  it("NET-10: a name that stands for another address by then is not connected to", async () => {
    const target = await service();
    const answers: ResolvedAddress[][] = [[{ address: "93.184.215.14", family: 4 }]];
    const asked: string[] = [];
    const { api } = await start({
      env,
      places: {
        resolve: async (host) => {
          asked.push(host);
          return answers.shift() ?? [{ address: "127.0.0.1", family: 4 }];
        },
      },
    });
    const baseURL = `https://rebind.example:${target.port}/v1`;
    expect((await api.put("/model-providers/acme", { baseURL, apiKey: orgKey })).status).toBe(200);
    // The attack works against whoever resolves again without looking.
    await fetch(`http://127.0.0.1:${target.port}`).catch(() => {});
    expect(target.connections()).toBe(1);
    await api.agent({ model: "acme/m" });
    const { id } = await api.session();
    await api.say(id, "hi");
    const finished = await api.until(id, "run.finished");
    expect(finished.data.error).toMatchObject({ code: "invalid_request", retryable: false });
    expect(finished.data.error?.message).toContain("not a public address");
    expect(asked).toEqual(["rebind.example", "rebind.example"]);
    expect(target.connections()).toBe(1);
  });

  it("NET-10: a redirect to a private place is not followed", async () => {
    const target = await service();
    const { api, endpoint } = await start({ env });
    endpoint.answer((reply) =>
      reply.send(307, { location: `http://127.0.0.1:${target.port}/v1/chat/completions` }, ""),
    );
    await api.put("/model-providers/acme", { baseURL: `${endpoint.url}/v1`, apiKey: orgKey });
    await api.agent({ model: "acme/m" });
    const { id } = await api.session();
    await api.say(id, "hi");
    const finished = await api.until(id, "run.finished");
    expect(finished.data.error?.message).toContain("redirects to");
    // Nor when its models are listed.
    expect((await api.get("/models")).status).toBe(200);
    expect(endpoint.requests.length).toBeGreaterThan(1);
    expect(target.connections()).toBe(0);
  });
});

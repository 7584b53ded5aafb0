import { modelProvider, type UserConfig, userConfig } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { rolePermissions } from "../../../src/auth/permissions.ts";
import { stranger, useApi } from "../../support/http/api.ts";

describe("/user-config", () => {
  const start = useApi();

  it("is made once, with the defaults, by ensure", async () => {
    const api = await start();
    expect((await api.get("/user-config")).problem()).toMatchObject({
      status: 404,
      code: "user_config_not_found",
    });
    const made = await api.get("/user-config/ensure");
    expect(made.headers.get("etag")).toBe('"1"');
    expect(made.json(userConfig)).toMatchObject({
      userId: "usr_test",
      sandboxAllocationStrategy: null,
      sandboxPoolQuota: null,
      autoScrollEnabled: true,
      taskCompletionNotificationEnabled: true,
      inputSuggestionsEnabled: true,
      sharedLinks: [],
      customSpFragments: [],
      modelProviders: [],
    });
    expect((await api.get("/user-config/ensure")).text).toBe(made.text);
    expect((await api.get("/user-config")).text).toBe(made.text);
    expect((await api.post("/user-config", {})).problem()).toMatchObject({
      status: 409,
      code: "user_config_exists",
    });
  });

  it("is made by two who ensure it at once, once", async () => {
    const api = await start();
    const both = await Promise.all([api.get("/user-config/ensure"), api.get("/user-config/ensure")]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await api.get("/user-config")).json(userConfig).version).toBe(1);
  });

  it("changes what is named and keeps the rest, from the version that was read", async () => {
    const api = await start();
    const made = await api.post("/user-config", {
      sandboxAllocationStrategy: "Shared-Pool",
      customSpFragments: [{ content: "Be brief." }],
    });
    expect(made.status).toBe(201);
    const put = await api.put(
      "/user-config",
      { sandboxPoolQuota: 9 },
      { headers: { "if-match": made.headers.get("etag") ?? "" } },
    );
    expect(put.json(userConfig)).toMatchObject({
      version: 2,
      sandboxAllocationStrategy: "Shared-Pool",
      sandboxPoolQuota: 9,
      customSpFragments: [{ content: "Be brief.", enabled: true }],
    });
    const late = await api.put("/user-config", { sandboxPoolQuota: 1 }, { headers: { "if-match": '"1"' } });
    expect(late.problem()).toMatchObject({ status: 412, code: "version_mismatch" });
    expect((await api.delete("/user-config")).status).toBe(204);
    expect((await api.delete("/user-config")).status).toBe(404);
    expect((await api.put("/user-config", {}, { headers: { "if-match": '"2"' } })).status).toBe(412);
  });

  it("API-04: takes nothing that is the server's to set", async () => {
    const api = await start();
    const forged: readonly object[] = [
      { userId: "usr_other" },
      { orgId: "org_other" },
      { version: 7 },
      { createdAt: "2020-01-01T00:00:00Z" },
      { customSpFragments: [{ content: "x", createdAt: "2020-01-01T00:00:00Z" }] },
      { modelProviders: [{ name: "openai", hasKey: true }] },
      { sandboxAllocationStrategy: "Host" },
      { sandboxPoolQuota: 0 },
    ];
    for (const body of forged) {
      const refused = await api.put("/user-config", body);
      expect([refused.status, body]).toEqual([422, body]);
    }
    expect((await api.get("/user-config")).status).toBe(404);
  });

  it("keeps bookmarks of links that were shared", async () => {
    const api = await start();
    const added = await api.post("/user-config/shared-links", {
      label: "Docs",
      url: "https://example.com/a",
    });
    expect(added.status).toBe(201);
    const [link] = added.json(userConfig).sharedLinks;
    expect(link).toMatchObject({ label: "Docs", url: "https://example.com/a", shareLinkId: null });
    for (const body of [
      {},
      { url: "javascript:alert(1)" },
      { url: "https://example.com", shareLinkId: "shr_01jd0000000000000000000000" },
      { shareLinkId: "shr_01jd0000000000000000000000" },
    ]) {
      expect((await api.post("/user-config/shared-links", body)).status).toBe(422);
    }
    const gone = await api.delete(`/user-config/shared-links?id=${link?.id}`);
    expect(gone.json(userConfig)).toMatchObject({ version: 2, sharedLinks: [] });
    const again = await api.delete(`/user-config/shared-links?id=${link?.id}`);
    expect(again.problem()).toMatchObject({ status: 404, code: "entry_not_found" });
  });

  it("keeps fragments within their limits", async () => {
    const api = await start();
    const add = (content: string) => api.post("/user-config/sp-fragments", { content });
    expect((await add("x".repeat(4_001))).status).toBe(422);
    for (let n = 0; n < 4; n++) expect((await add("y".repeat(4_000))).status).toBe(201);
    expect((await add("z")).problem().detail).toMatch(/16001 characters in all, and 16000 are the most/);
    const { customSpFragments } = (await api.get("/user-config")).json(userConfig);
    const [first] = customSpFragments;
    expect((await api.delete(`/user-config/sp-fragments?id=${first?.id}`)).status).toBe(200);
    const many = Array.from({ length: 21 }, () => ({ content: "a" }));
    expect((await api.put("/user-config", { customSpFragments: many })).status).toBe(422);
    const kept = customSpFragments[1];
    const list = [{ id: kept?.id, content: "changed", enabled: false }];
    const changed = (await api.put("/user-config", { customSpFragments: list })).json(userConfig);
    expect(changed.customSpFragments).toEqual([
      { id: kept?.id, label: "", content: "changed", enabled: false, createdAt: kept?.createdAt },
    ]);
    const twice = await api.put("/user-config", { customSpFragments: [...list, ...list] });
    expect(twice.problem().detail).toContain("is there twice");
  });

  it("adds once for one idempotency key", async () => {
    const api = await start();
    const add = () =>
      api.post("/user-config/sp-fragments", { content: "Once." }, { headers: { "idempotency-key": "k1" } });
    const [first, second] = [await add(), await add()];
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(second.text).toBe(first.text);
    expect((await api.get("/user-config")).json(userConfig).customSpFragments).toHaveLength(1);
  });

  it("loses nothing of changes that come at once", async () => {
    const api = await start();
    const added = await Promise.all(
      ["a", "b", "c"].map((content) => api.post("/user-config/sp-fragments", { content })),
    );
    expect(added.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect((await api.get("/user-config")).json(userConfig).customSpFragments).toHaveLength(3);
  });

  it("takes a share link of one's own only", async () => {
    const api = await start();
    await api.agent();
    const session = await api.session();
    const shared = await api.post(`/sessions/${session.id}/share-links`, {});
    const { id } = shared.json<{ id: string }>();
    expect((await api.post("/user-config/shared-links", { shareLinkId: id })).status).toBe(201);
    const other = { fetch: api.appFor({ ...api.principal, id: "usr_other" }) };
    const refused = await api.post("/user-config/shared-links", { shareLinkId: id }, other);
    expect(refused.problem().detail).toContain("is no share link of yours");
  });

  it("is the caller's own, in one organization", async () => {
    const api = await start();
    await api.post("/user-config/sp-fragments", { content: "Mine." });
    const others = [
      { ...api.principal, id: "usr_other" },
      { ...stranger(), id: "usr_test" },
    ];
    for (const other of others) {
      const fetch = api.appFor(other);
      expect((await api.get("/user-config", { fetch })).status).toBe(404);
      expect((await api.delete("/user-config", { fetch })).status).toBe(404);
      const own = (await api.get("/user-config/ensure", { fetch })).json(userConfig);
      expect(own.customSpFragments).toEqual([]);
    }
    const viewer = api.appFor({ ...api.principal, permissions: rolePermissions.viewer });
    expect((await api.get("/user-config", { fetch: viewer })).status).toBe(403);
    expect((await api.get("/user-config")).json(userConfig).customSpFragments).toHaveLength(1);
  });

  it("has providers whose keys nobody reads, and drops a key with its provider", async () => {
    const api = await start();
    const key = "CANARY_userkey_8f1c2a";
    const put = (modelProviders: readonly object[]) =>
      api.put("/user-config/model-providers", { modelProviders });
    const saved = await put([
      { name: "openai", apiKey: key, models: ["gpt-x"] },
      { name: "mine", baseURL: "https://models.example/v1/", headers: { "x-team": "CANARY_header_99" } },
    ]);
    expect(saved.json(userConfig).modelProviders).toEqual([
      {
        name: "openai",
        kind: "openai-compatible",
        baseURL: "https://api.openai.com/v1",
        hasKey: true,
        headers: [],
        models: [{ name: "gpt-x" }],
      },
      {
        name: "mine",
        kind: "openai-compatible",
        baseURL: "https://models.example/v1",
        hasKey: false,
        headers: ["x-team"],
        models: [],
      },
    ] satisfies UserConfig["modelProviders"]);
    const kept = await put([{ name: "openai" }]);
    expect(kept.json(userConfig).modelProviders).toMatchObject([{ name: "openai", hasKey: true }]);
    const moved = await put([{ name: "openai", baseURL: "https://attacker.example/v1" }]);
    expect(moved.problem()).toMatchObject({ status: 422, errors: [{ pointer: "/modelProviders/0/apiKey" }] });
    const anyText = [saved.text, kept.text, moved.text, (await api.get("/user-config")).text].join("");
    expect(anyText).not.toContain("CANARY");
    const { vault } = api.operations.store.org(api.harness.orgId);
    const name = { owner: "usr_test", kind: "model-provider", name: "openai" } as const;
    expect(await vault.findSecret(name)).not.toBeNull();
    await put([]);
    expect(await vault.findSecret(name)).toBeNull();
    expect(await vault.findSecret({ ...name, name: "mine" })).toBeNull();
  });

  it("says so when users may bring no providers", async () => {
    const api = await start({ operations: { userModelProviders: false } });
    const refused = await api.put("/user-config/model-providers", { modelProviders: [{ name: "openai" }] });
    expect(refused.problem()).toMatchObject({ status: 403, code: "user_providers_off" });
    expect((await api.put("/user-config/model-providers", { modelProviders: [] })).status).toBe(200);
  });
});

describe("/model-providers", () => {
  const start = useApi();

  it("keeps providers of the organization and never shows their keys", async () => {
    const api = await start();
    const body = {
      baseURL: "https://models.example/v1",
      apiKey: "CANARY_orgkey_1234",
      headers: { "x-org": "CANARY_header_55" },
      models: ["small", { name: "big", contextWindow: 32_000, price: { input: 1, output: 2 } }],
    };
    const saved = await api.put("/model-providers/acme", body);
    expect(saved.json(modelProvider)).toMatchObject({ name: "acme", hasKey: true, headers: ["x-org"] });
    const listed = await api.get("/model-providers");
    expect(listed.json()).toMatchObject({ items: [{ name: "acme", models: [{ name: "small" }, {}] }] });
    expect(saved.text + listed.text).not.toContain("CANARY");
    const kept = await api.put("/model-providers/acme", { baseURL: body.baseURL, apiKey: null });
    expect(kept.json(modelProvider)).toMatchObject({ hasKey: false, headers: ["x-org"] });
    const moved = await api.put("/model-providers/acme", { baseURL: "https://attacker.example/v1" });
    expect(moved.problem().errors).toMatchObject([{ pointer: "/headers" }]);
    expect((await api.delete("/model-providers/acme")).status).toBe(204);
    const gone = await api.delete("/model-providers/acme");
    expect(gone.problem()).toMatchObject({ status: 404, code: "model_provider_not_found" });
    const malformed = await api.delete("/model-providers/NOT%20a%20name");
    expect(malformed.problem().code).toBe("model_provider_not_found");
  });

  it("refuses what is no provider", async () => {
    const api = await start();
    const url = "https://models.example/v1";
    const bodies: readonly object[] = [
      {},
      { baseURL: "ftp://models.example" },
      { baseURL: "https://user:pass@models.example/v1" },
      { baseURL: `${url}?key=1` },
      { baseURL: url, apiKey: "short" },
      { baseURL: url, apiKey: "with\r\nnewline" },
      { baseURL: url, headers: { host: "x" } },
      { baseURL: url, headers: { "x-a": "b\r\nc: d" } },
      { baseURL: url, models: ["a", "a"] },
      { baseURL: url, kind: "scripted" },
      { baseURL: url, package: "child_process" },
    ];
    for (const body of bodies) {
      const refused = await api.put("/model-providers/acme", body);
      expect([refused.status, body]).toEqual([422, body]);
    }
    expect((await api.put("/model-providers/anthropic", {})).json(modelProvider).kind).toBe("anthropic");
  });

  it("I10: another organization sees none of it, and members may only look", async () => {
    const api = await start();
    await api.put("/model-providers/acme", { baseURL: "https://models.example/v1" });
    const fetch = api.appFor(stranger());
    expect((await api.get("/model-providers", { fetch })).json()).toEqual({ items: [], next: null });
    expect((await api.delete("/model-providers/acme", { fetch })).status).toBe(404);
    const member = api.appFor({ ...api.principal, permissions: rolePermissions.member });
    expect((await api.get("/model-providers", { fetch: member })).status).toBe(200);
    expect((await api.put("/model-providers/x", {}, { fetch: member })).status).toBe(403);
    expect((await api.delete("/model-providers/acme", { fetch: member })).status).toBe(403);
    expect((await api.get("/model-providers")).json()).toMatchObject({ items: [{ name: "acme" }] });
  });
});

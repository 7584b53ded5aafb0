import { rotateVaultReply, vaultStatus } from "@berth/contract";
import { describe, expect, it } from "vitest";
import { openProviderSecret } from "../../../src/auth/provider-secrets.ts";
import { newKey } from "../../../src/auth/sealing.ts";
import type { MasterKey } from "../../../src/auth/server-keys.ts";
import { checkMasterKeys, createVault, type Vault } from "../../../src/auth/vault.ts";
import { resealSecrets, rewrapDataKeys } from "../../../src/auth/vault-rotation.ts";
import { rolePermissions } from "../../../src/auth/permissions.ts";
import { newId } from "../../../src/lib/id.ts";
import type { SealedSecret } from "../../../src/store/vault.ts";
import { type Api, stranger, useApi } from "../../support/http/api.ts";
import { filesBelow } from "../../support/security/files-below.ts";

const canary = "CANARY_vault_4c7d90aa12";
const place = { owner: "", name: "acme", baseUrl: "https://models.example/v1" };
const secretName = { owner: "", kind: "model-provider", name: "acme" } as const;
const master = (id: string): MasterKey => ({ id, key: newKey() });

async function withKey(api: Api): Promise<SealedSecret> {
  const saved = await api.put("/model-providers/acme", { baseURL: place.baseUrl, apiKey: canary });
  expect(saved.status).toBe(200);
  const secret = await api.operations.store.org(api.harness.orgId).vault.findSecret(secretName);
  if (secret === null) throw new Error("nothing was sealed");
  return secret;
}

describe("the vault", () => {
  const start = useApi();

  it("DAT-01: keeps no secret that can be read in any file of the data folder", async () => {
    const api = await start();
    // The search finds what is there.
    await api.put("/model-providers/plain", { baseURL: "https://findable.example/v1" });
    await withKey(api);
    await api.put("/user-config/model-providers", {
      modelProviders: [{ name: "openai", apiKey: canary, headers: { "x-a": canary } }],
    });
    const bytes = Buffer.concat([...(await filesBelow(api.harness.dataDir)).values()]);
    expect(bytes.includes("https://findable.example/v1")).toBe(true);
    for (const form of [canary, Buffer.from(canary).toString("base64"), Buffer.from(canary).toString("hex")])
      expect(bytes.includes(form)).toBe(false);
    const { vault, store } = api.operations;
    const opened = await openProviderSecret({ store, vault }, { ...place, orgId: api.harness.orgId });
    expect(opened.apiKey?.reveal()).toBe(canary);
  });

  it("DAT-01: opens nothing in another row, of another organization, changed, or under another key", async () => {
    const api = await start();
    const { id, sealed, keyVersion } = await withKey(api);
    const { vault, store } = api.operations;
    const orgId = api.harness.orgId;
    const here = { orgId, table: "secrets", rowId: id, sealed, keyVersion } as const;
    expect((await vault.open(here)).reveal()).toContain(canary);
    const otherOrg = newId("org");
    await vault.addDataKey(otherOrg);
    const flipped = (at: number) =>
      Buffer.from(sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)));
    const attacks = [
      { ...here, rowId: newId("secret") },
      { ...here, orgId: otherOrg },
      { ...here, keyVersion: 2 },
      { ...here, sealed: flipped(0) },
      { ...here, sealed: flipped(1) },
      { ...here, sealed: flipped(20) },
      { ...here, sealed: flipped(sealed.length - 1) },
      { ...here, sealed: sealed.subarray(0, sealed.length - 1) },
      { ...here, sealed: new Uint8Array() },
    ];
    for (const attack of attacks)
      await expect(vault.open(attack)).rejects.toMatchObject({ code: "secret_unreadable" });
    const imposter = createVault({ store, masterKeys: [{ id: vault.masterKeys[0].id, key: newKey() }] });
    await expect(imposter.open(here)).rejects.toMatchObject({ code: "secret_unreadable" });
    const wrapped = await store.org(orgId).vault.findDataKey(1);
    expect(() =>
      vault.unwrap({ orgId: otherOrg, version: 1, wrapped: wrapped?.wrapped ?? sealed, masterId: "test" }),
    ).toThrow(/cannot be opened/);
  });

  it("seals with a fresh nonce each time, and for the place that the key was given for", async () => {
    const api = await start();
    const [first, second] = [await withKey(api), await withKey(api)];
    expect(Buffer.from(first.sealed).equals(Buffer.from(second.sealed))).toBe(false);
    expect(first.id).not.toBe(second.id);
    const { vault, store } = api.operations;
    const elsewhere = { ...place, orgId: api.harness.orgId, baseUrl: "https://attacker.example/v1" };
    expect(await openProviderSecret({ store, vault }, elsewhere)).toEqual({ apiKey: null, headers: {} });
  });

  it("DAT-01: is rotated to another master key, after which the old one alone opens nothing", async () => {
    const api = await start();
    await withKey(api);
    const { store } = api.operations;
    const orgId = api.harness.orgId;
    const others = [newId("org"), newId("org"), newId("org")];
    for (const org of others) await api.operations.vault.addDataKey(org);
    const [old] = api.operations.vault.masterKeys;
    const next = master("next");
    const both = createVault({ store, masterKeys: [next, old] });
    const opens = async (vault: Vault) =>
      (await openProviderSecret({ store, vault }, { ...place, orgId })).apiKey?.reveal();
    await expect(checkMasterKeys(store, createVault({ store, masterKeys: [next] }))).rejects.toMatchObject({
      code: "wrong_master_key",
      message: expect.stringContaining("BERTH_PREVIOUS_MASTER_KEY"),
    });
    await checkMasterKeys(store, both);
    expect(await opens(both)).toBe(canary);

    // Cut off before it begins anything, then done, then nothing is left to do.
    const signal = AbortSignal.abort();
    expect(await rewrapDataKeys({ store, vault: both, signal })).toEqual({ done: 0, unreadable: 0 });
    const going = new AbortController().signal;
    expect(await rewrapDataKeys({ store, vault: both, signal: going })).toEqual({ done: 4, unreadable: 0 });
    expect(await rewrapDataKeys({ store, vault: both, signal: going })).toEqual({ done: 0, unreadable: 0 });

    const alone = (key: MasterKey) => createVault({ store, masterKeys: [key] });
    await checkMasterKeys(store, alone(next));
    expect(await opens(alone(next))).toBe(canary);
    await expect(checkMasterKeys(store, alone(old))).rejects.toMatchObject({ code: "wrong_master_key" });
    await expect(opens(alone(old))).rejects.toMatchObject({ code: "wrong_master_key" });
  });

  it("DAT-01: gets new data keys, under which every secret is sealed anew, by the operator alone", async () => {
    const api = await start();
    const before = await withKey(api);
    const { store, vault } = api.operations;
    const { orgId } = api.harness;
    expect((await api.get("/vault")).json(vaultStatus)).toEqual({
      masterKey: "test",
      dataKeys: { total: 1, pending: 0 },
      secrets: { total: 1, pending: 0 },
    });
    const owner = api.appFor({ ...api.principal, permissions: rolePermissions.owner });
    expect((await api.get("/vault", { fetch: owner })).status).toBe(403);
    expect((await api.post("/vault/rotate", {}, { fetch: owner })).status).toBe(403);

    // A rotation that was cut off after it had made a key.
    await vault.addDataKey(orgId);
    expect((await api.get("/vault")).json(vaultStatus).secrets).toEqual({ total: 1, pending: 1 });
    const rotated = (await api.post("/vault/rotate", { dataKeys: true })).json(rotateVaultReply);
    expect(rotated).toMatchObject({ rewrapped: 0, made: 1, resealed: 1 });
    expect(rotated.status).toMatchObject({ dataKeys: { total: 1 }, secrets: { total: 1, pending: 0 } });
    const after = await store.org(orgId).vault.findSecret(secretName);
    expect(after).toMatchObject({ id: before.id, keyVersion: 3 });
    const opened = await openProviderSecret({ store, vault }, { ...place, orgId });
    expect(opened.apiKey?.reveal()).toBe(canary);
    const old = { orgId, table: "secrets", rowId: before.id, ...before } as const;
    const fresh = createVault({ store, masterKeys: vault.masterKeys });
    await expect(fresh.open(old)).rejects.toMatchObject({ code: "secret_unreadable" });
    const entries = (await store.org(orgId).audit.list({ limit: 10, action: "vault.rotated" })).items;
    expect(entries).toMatchObject([{ actor: { id: "usr_test" }, details: { dataKeys: true } }]);
  });

  it("goes on with a rotation past what does not open", async () => {
    const api = await start();
    const { store, vault } = api.operations;
    const { id } = await withKey(api);
    const { orgId } = api.harness;
    await api.put("/model-providers/other", { baseURL: place.baseUrl, apiKey: canary });
    const spoilt = { id, sealed: new Uint8Array([1, 2, 3]), keyVersion: 1, oldKeyVersion: 1 };
    expect(await store.org(orgId).vault.reseal([spoilt])).toBe(1);
    const lost = { orgId: newId("org"), version: 1, wrapped: new Uint8Array([9]), masterId: "test" };
    await store.org(lost.orgId).vault.addDataKey(lost);
    const next = createVault({ store, masterKeys: [master("next"), ...vault.masterKeys] });
    const signal = new AbortController().signal;
    expect(await rewrapDataKeys({ store, vault: next, signal })).toEqual({ done: 1, unreadable: 1 });
    await next.addDataKey(orgId);
    expect(await resealSecrets({ store, vault: next, signal })).toEqual({ done: 1, unreadable: 1 });
  });

  it("I10: another organization has another data key", async () => {
    const api = await start();
    await withKey(api);
    const fetch = api.appFor(stranger());
    const saved = await api.put(
      "/model-providers/acme",
      { baseURL: place.baseUrl, apiKey: canary },
      { fetch },
    );
    expect(saved.status).toBe(200);
    const keys = await api.operations.store.system.vault.listForeign({ masterId: "", limit: 10 });
    expect(new Set(keys.map(({ orgId }) => orgId)).size).toBe(2);
    const plain = keys.map((key) => api.operations.vault.unwrap(key).toString("hex"));
    expect(new Set(plain).size).toBe(2);
  });
});

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { AuditDraft } from "../audit.ts";
import type { ProviderDefinition } from "../model-providers.ts";
import type { UserSettings } from "../user-config.ts";
import type { SealedSecret, SecretChanges } from "../vault.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const audit = (action = "test.done"): AuditDraft => ({
  id: newId("audit"),
  actor: { type: "user", id: "usr_1", name: "One" },
  credential: null,
  action,
  target: null,
  outcome: "done",
  requestId: null,
  address: null,
  details: {},
});
const nothing: SecretChanges = { put: [], drop: [], by: "usr_1" };
const provider = (name: string, change: Partial<ProviderDefinition> = {}): ProviderDefinition => ({
  name,
  kind: "openai-compatible",
  baseUrl: "https://models.example/v1",
  hasKey: false,
  headers: [],
  models: [],
  ...change,
});
const secretOf = (name: string, change: Partial<SealedSecret> = {}): SealedSecret => ({
  id: newId("secret"),
  owner: "",
  kind: "model-provider",
  name,
  sealed: new Uint8Array([1, 2, 3]),
  keyVersion: 1,
  ...change,
});
const keyOf = (version = 1, masterId = "m1") => ({ version, wrapped: new Uint8Array([version]), masterId });
const settings: UserSettings = {
  sandboxAllocationStrategy: "Session-Exclusive",
  sandboxPoolQuota: 5,
  autoScrollEnabled: true,
  taskCompletionNotificationEnabled: true,
  inputSuggestionsEnabled: true,
  sharedLinks: [],
  customSpFragments: [],
  modelProviders: [],
};
const fragments = (...contents: readonly string[]): UserSettings["customSpFragments"] =>
  contents.map((content) => ({ id: content, label: "", content, enabled: content !== "off", createdAt: 1 }));

export function vaultConformance(open: OpenStore): void {
  describe("vault", () => {
    const scene = useStore(open);

    const put = (here: Scene, name: string, secrets: readonly SealedSecret[] = [], limit = 10) =>
      here.org.modelProviders.put({
        audit: audit(),
        provider: provider(name),
        secrets: { ...nothing, put: secrets },
        limit,
      });
    const configure = (here: Scene, ifVersion: number, change: Partial<UserSettings> = {}, more = nothing) =>
      here.org.userConfig.put({
        audit: audit(),
        userId: "usr_1",
        ifVersion,
        settings: { ...settings, ...change },
        secrets: more,
      });

    it("keeps the first of two data keys of one version", async () => {
      const { org, orgId } = scene();
      expect(await org.vault.findDataKey()).toBeNull();
      const first = { ...keyOf(), orgId };
      expect(await org.vault.addDataKey(keyOf())).toEqual(first);
      expect(await org.vault.addDataKey({ ...keyOf(1, "m2"), wrapped: new Uint8Array([9]) })).toEqual(first);
      await org.vault.addDataKey(keyOf(2));
      expect(await org.vault.findDataKey()).toEqual({ ...keyOf(2), orgId });
      expect(await org.vault.findDataKey(1)).toEqual(first);
    });

    it("wraps data keys anew, each only as it was read", async () => {
      const here = scene();
      const { org, orgId, store } = here;
      const master = newId("secret");
      await org.vault.addDataKey(keyOf(1, master));
      await org.vault.addDataKey(keyOf(2, master));
      const wrapped = new Uint8Array([7, 7]);
      const anew = { orgId, version: 1, wrapped, masterId: "m9" };
      const { vault } = store.system;
      expect(await vault.countByMaster()).toContainEqual({ masterId: master, dataKeys: 2 });
      expect(await vault.rewrap([{ ...anew, oldMasterId: "other" }])).toBe(0);
      expect(await vault.rewrap([{ ...anew, oldMasterId: master }])).toBe(1);
      expect(await org.vault.findDataKey(1)).toEqual(anew);
      const foreign = await vault.listForeign({ masterId: master, limit: 1_000 });
      expect(foreign).toContainEqual(anew);
      expect(foreign.filter((key) => key.orgId === orgId)).toHaveLength(1);
      expect(await vault.listOrgs({ limit: 1_000 })).toContain(orgId);
      expect(await vault.listOrgs({ limit: 1_000, after: orgId })).not.toContain(orgId);
    });

    it("seals anew only what is still sealed as it was read, and drops keys that seal nothing", async () => {
      const here = scene();
      const { vault } = here.org;
      await vault.addDataKey(keyOf(1));
      const secret = secretOf("a");
      await put(here, "a", [secret]);
      await vault.addDataKey(keyOf(2));
      expect(await vault.listOlder({ keyVersion: 2, limit: 10 })).toEqual([secret]);
      expect(await vault.dropDataKeys(2)).toBe(0);
      const sealed = new Uint8Array([4]);
      const anew = { id: secret.id, sealed, keyVersion: 2, oldKeyVersion: 1 };
      expect(await vault.reseal([anew])).toBe(1);
      expect(await vault.reseal([anew])).toBe(0);
      const name = { owner: "", kind: "model-provider", name: "a" } as const;
      expect(await vault.findSecret(name)).toEqual({ ...secret, sealed, keyVersion: 2 });
      expect(await vault.dropDataKeys(2)).toBe(1);
      expect(await refusal(put(here, "b", [secretOf("b")]))).toBe("store_unavailable");
      expect(await here.org.modelProviders.find("b")).toBeNull();
    });

    it("keeps a provider and its secret together", async () => {
      const here = scene();
      const { vault, modelProviders } = here.org;
      await vault.addDataKey(keyOf(1));
      expect(await modelProviders.version()).toBe(0);
      const [old, next] = [secretOf("b"), secretOf("b")];
      await put(here, "b", [old]);
      await put(here, "a");
      await put(here, "b", [next]);
      expect((await modelProviders.list()).map(({ name }) => name)).toEqual(["a", "b"]);
      expect(await modelProviders.version()).toBe(3);
      const name = { owner: "", kind: "model-provider", name: "b" } as const;
      expect((await vault.findSecret(name))?.id).toBe(next.id);
      const drop = { ...nothing, drop: [name] };
      expect(await modelProviders.remove({ audit: audit(), name: "b", secrets: drop })).toBe(true);
      expect(await modelProviders.remove({ audit: audit(), name: "b", secrets: drop })).toBe(false);
      expect(await vault.findSecret(name)).toBeNull();
      expect(await modelProviders.version()).toBe(4);
    });

    it("keeps secrets for sandboxes by name, no more than the limit says", async () => {
      const { org } = scene();
      const { vault } = org;
      await vault.addDataKey(keyOf(1));
      const keep = (name: string, limit = 2) =>
        vault.putSandboxSecret({
          secret: secretOf(name, { kind: "sandbox" }),
          by: "usr_1",
          limit,
          audit: audit(),
        });
      await keep("b");
      const { result } = await keep("a");
      expect(await refusal(keep("c"))).toBe("too_many_sandbox_secrets");
      expect((await keep("a")).result.createdAt).toBe(result.createdAt);
      expect((await vault.listSandboxSecrets()).map(({ name }) => name)).toEqual(["a", "b"]);
      expect(await scene().neighbour().org.vault.listSandboxSecrets()).toEqual([]);
      expect(await scene().neighbour().org.vault.removeSandboxSecret({ name: "a", audit: audit() })).toBe(
        false,
      );
      expect(await vault.removeSandboxSecret({ name: "a", audit: audit("test.removed") })).toBe(true);
      expect(await vault.removeSandboxSecret({ name: "a", audit: audit("test.removed") })).toBe(false);
      expect(await vault.findSecret({ owner: "", kind: "sandbox", name: "a" })).toBeNull();
      expect((await org.audit.list({ action: "test.removed", limit: 9 })).items).toHaveLength(1);
    });

    it("has no more providers than the limit says, and repeats nothing", async () => {
      const here = scene();
      await put(here, "a", [], 1);
      expect(await refusal(put(here, "b", [], 1))).toBe("too_many_model_providers");
      const idempotency = { scope: "s", key: "k", bodyHash: "h" };
      const change = { audit: audit(), provider: provider("a"), secrets: nothing, limit: 1, idempotency };
      expect((await here.org.modelProviders.put(change)).replayed).toBe(false);
      expect((await here.org.modelProviders.put(change)).replayed).toBe(true);
      expect(await here.org.modelProviders.version()).toBe(2);
    });

    it("changes a user's config from the version that was read, one of two at once", async () => {
      const here = scene();
      const { userConfig } = here.org;
      expect(await userConfig.find("usr_1")).toBeNull();
      expect(await refusal(configure(here, 1))).toBe("version_mismatch");
      const { result } = await configure(here, 0);
      expect(result).toMatchObject({ ...settings, version: 1, userId: "usr_1" });
      expect(await refusal(configure(here, 0))).toBe("user_config_exists");
      const both = await Promise.allSettled([
        configure(here, 1, { sandboxPoolQuota: 7 }),
        configure(here, 1, { sandboxPoolQuota: 8 }),
      ]);
      expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      expect(await userConfig.find("usr_1")).toMatchObject({ version: 2, sandboxPoolQuota: 7 });
      expect(await userConfig.find("usr_2")).toBeNull();
      expect(await here.org.modelProviders.version()).toBe(0);
    });

    it("tells of providers that change, and takes a user's secrets with the config", async () => {
      const here = scene();
      const { vault, userConfig, modelProviders } = here.org;
      await vault.addDataKey(keyOf(1));
      const mine = secretOf("a", { owner: "usr_1" });
      const theirs = secretOf("a", { owner: "usr_2" });
      await configure(here, 0, { modelProviders: [provider("a")] }, { ...nothing, put: [mine, theirs] });
      expect(await modelProviders.version()).toBe(1);
      await configure(here, 1, { modelProviders: [provider("a")], sandboxPoolQuota: 9 });
      expect(await modelProviders.version()).toBe(1);
      expect(await userConfig.remove({ audit: audit(), userId: "usr_1" })).toBe(true);
      expect(await userConfig.remove({ audit: audit(), userId: "usr_1" })).toBe(false);
      expect(await modelProviders.version()).toBe(2);
      const named = { kind: "model-provider", name: "a" } as const;
      expect(await vault.findSecret({ ...named, owner: "usr_1" })).toBeNull();
      expect(await vault.findSecret({ ...named, owner: "usr_2" })).not.toBeNull();
    });

    it("I14: knows the fragments of a time", async () => {
      const here = scene();
      const { userConfig } = here.org;
      const start = here.clock.now();
      const at = (ms: number) => userConfig.fragmentsAt("usr_1", start + ms);
      await configure(here, 0, { customSpFragments: fragments("a", "off") });
      await here.clock.advance(10);
      await configure(here, 1, { customSpFragments: fragments("a", "b") });
      await configure(here, 2, { customSpFragments: fragments("c") });
      expect([await at(-1), await at(0), await at(9), await at(11)]).toEqual([[], ["a"], ["a"], ["c"]]);
      await here.clock.advance(10);
      await userConfig.remove({ audit: audit(), userId: "usr_1" });
      expect([await at(11), await at(20)]).toEqual([["c"], []]);
      for (let version = 0; version < 60; version++) {
        await here.clock.advance(1);
        await configure(here, version, { customSpFragments: fragments(`v${version}`) });
      }
      expect([await at(0), await at(1_000)]).toEqual([[], ["v59"]]);
    });

    it("I10: another org reads and changes nothing of this one's", async () => {
      const here = scene();
      const other = here.neighbour();
      await here.org.vault.addDataKey(keyOf(1));
      const secret = secretOf("a");
      await put(here, "a", [secret]);
      await configure(here, 0, { customSpFragments: fragments("mine") });
      const everything = async () => ({
        key: await here.org.vault.findDataKey(),
        secret: await here.org.vault.findSecret({ owner: "", kind: "model-provider", name: "a" }),
        providers: await here.org.modelProviders.list(),
        version: await here.org.modelProviders.version(),
        config: await here.org.userConfig.find("usr_1"),
        fragments: await here.org.userConfig.fragmentsAt("usr_1", here.clock.now()),
      });
      const before = await everything();
      const { vault, modelProviders, userConfig } = other.org;
      expect(await vault.findDataKey()).toBeNull();
      expect(await vault.findSecret({ owner: "", kind: "model-provider", name: "a" })).toBeNull();
      expect(await vault.listOlder({ keyVersion: 99, limit: 10 })).toEqual([]);
      expect(await modelProviders.list()).toEqual([]);
      expect(await modelProviders.find("a")).toBeNull();
      expect(await modelProviders.version()).toBe(0);
      expect(await userConfig.find("usr_1")).toBeNull();
      expect(await userConfig.fragmentsAt("usr_1", here.clock.now())).toEqual([]);
      await vault.addDataKey(keyOf(2));
      const forged = { id: secret.id, sealed: new Uint8Array([0]), keyVersion: 2, oldKeyVersion: 1 };
      expect(await vault.reseal([forged])).toBe(0);
      expect(await vault.dropDataKeys(99)).toBe(1);
      const drop = { ...nothing, drop: [{ owner: "", kind: "model-provider", name: "a" } as const] };
      expect(await modelProviders.remove({ audit: audit(), name: "a", secrets: drop })).toBe(false);
      expect(await userConfig.remove({ audit: audit(), userId: "usr_1" })).toBe(false);
      await put(other, "a");
      expect(await everything()).toEqual(before);
    });
  });
}

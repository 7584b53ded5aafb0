import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import {
  findServerKeys,
  newKeyText,
  openServerKeys,
  type PresetKeys,
  serverKeysPath,
} from "./server-keys.ts";

const none: PresetKeys = {
  adminKey: null,
  masterKey: null,
  previousMasterKey: null,
  keyPepper: null,
  auditKey: null,
  backupKey: null,
};
const fresh = () => new Secret(newKeyText());

describe("the server's keys", () => {
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-keys-"));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it("are made once in mode single, for nobody else to read, and stay", async () => {
    const [one, two] = await Promise.all([
      openServerKeys({ dataDir, preset: none, required: false }),
      openServerKeys({ dataDir, preset: none, required: false }),
    ]);
    expect(two).toEqual(one);
    expect((await stat(serverKeysPath(dataDir))).mode & 0o777).toBe(0o600);
    expect(await openServerKeys({ dataDir, preset: none, required: false })).toEqual(one);
    const texts = JSON.parse(await readFile(serverKeysPath(dataDir), "utf8")) as Record<string, string>;
    expect(new Set(Object.values(texts)).size).toBe(3);
    expect(one.pepper.equals(one.auditKey)).toBe(false);
  });

  it("are refused when others can read them or the file is not theirs", async () => {
    await openServerKeys({ dataDir, preset: none, required: false });
    await chmod(serverKeysPath(dataDir), 0o644);
    const open = () => openServerKeys({ dataDir, preset: none, required: false });
    await expect(open()).rejects.toMatchObject({ code: "server_keys_exposed" });
    await chmod(serverKeysPath(dataDir), 0o600);
    await writeFile(serverKeysPath(dataDir), "{}");
    await expect(open()).rejects.toMatchObject({ code: "server_keys_malformed" });
  });

  it("must all be set in mode multi, and none is made", async () => {
    const preset = { ...none, masterKey: fresh() };
    await expect(openServerKeys({ dataDir, preset, required: true })).rejects.toMatchObject({
      code: "missing_secrets",
      details: { missing: ["BERTH_KEY_PEPPER", "BERTH_AUDIT_KEY"] },
    });
    await expect(stat(serverKeysPath(dataDir))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("are refused when they are weak or one of them is used twice", async () => {
    const open = (preset: Partial<PresetKeys>) =>
      openServerKeys({
        dataDir,
        preset: { ...none, masterKey: fresh(), keyPepper: fresh(), auditKey: fresh(), ...preset },
        required: true,
      });
    for (const text of ["changeme", "a".repeat(64), "1234567890"]) {
      await expect(open({ keyPepper: new Secret(text) })).rejects.toMatchObject({ code: "weak_secret" });
    }
    await expect(open({ adminKey: new Secret("a-key-of-20-characters") })).rejects.toMatchObject({
      code: "weak_secret",
    });
    const twice = fresh();
    await expect(open({ auditKey: twice, previousMasterKey: twice })).rejects.toMatchObject({
      code: "weak_secret",
    });
    expect((await open({})).masterKeys).toHaveLength(1);
  });

  it("keep the master key before this one to open what it has sealed", async () => {
    const [old, current] = [fresh(), fresh()];
    const rest = { keyPepper: fresh(), auditKey: fresh() };
    const before = await openServerKeys({
      dataDir,
      preset: { ...none, ...rest, masterKey: old },
      required: true,
    });
    const preset = { ...none, ...rest, masterKey: current, previousMasterKey: old };
    const after = await openServerKeys({ dataDir, preset, required: true });
    expect(after.masterKeys.map(({ id }) => id)).toEqual([expect.any(String), before.masterKeys[0].id]);
    expect(after.pepper).toEqual(before.pepper);
  });

  it("seal backups with a key of their own, or with one that comes from the master key", async () => {
    const rest = { masterKey: fresh(), keyPepper: fresh(), auditKey: fresh() };
    const open = (preset: Partial<PresetKeys>) =>
      openServerKeys({ dataDir, preset: { ...none, ...rest, ...preset }, required: true });
    const [derived, own] = [await open({}), await open({ backupKey: fresh() })];
    expect(derived.backupKeys).toHaveLength(1);
    expect(derived.backupKeys[0].key.equals(derived.masterKeys[0].key)).toBe(false);
    // Older backups can still be opened once there is a key for them.
    expect(own.backupKeys.map(({ id }) => id)).toEqual([expect.any(String), derived.backupKeys[0].id]);
    expect(own.ids).toEqual(derived.ids);
    await expect(open({ backupKey: new Secret("changeme") })).rejects.toMatchObject({ code: "weak_secret" });
  });

  it("are looked for without making any", async () => {
    const path = serverKeysPath(dataDir);
    expect(await findServerKeys({ path, preset: none })).toBeNull();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    const made = await openServerKeys({ dataDir, preset: none, required: false });
    expect(await findServerKeys({ path, preset: none })).toEqual(made);
  });
});

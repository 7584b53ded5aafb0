import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../lib/secret.ts";
import { adminKeyPath, ensureAdminKey, readAdminKey } from "./admin-key.ts";

let parent: string;
let dataDir: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "berth-key-"));
  dataDir = join(parent, "data");
});
afterEach(() => rm(parent, { recursive: true }));

const ensure = (preset: Secret | null = null) => ensureAdminKey({ dataDir, preset });
const aKey = `brt_${"k".repeat(43)}`;

async function put(content: string, mode = 0o600) {
  await mkdir(dataDir, { recursive: true });
  await writeFile(adminKeyPath(dataDir), content);
  await chmod(adminKeyPath(dataDir), mode);
}

describe("ensureAdminKey", () => {
  it("makes a key at the first start, for its owner alone, and keeps it", async () => {
    const first = await ensure();
    expect(first.created).toBe(true);
    expect(first.key.reveal()).toMatch(/^brt_[A-Za-z0-9_-]{43}$/);
    expect((await stat(adminKeyPath(dataDir))).mode & 0o777).toBe(0o600);
    expect((await stat(dataDir)).mode & 0o077).toBe(0);
    expect(await readdir(dataDir)).toEqual(["admin.key"]);
    expect(await readFile(adminKeyPath(dataDir), "utf8")).toBe(`${first.key.reveal()}\n`);

    const second = await ensure();
    expect(second.created).toBe(false);
    expect(second.key.reveal()).toBe(first.key.reveal());
  });

  it("makes another key for another folder", async () => {
    const other = await ensureAdminKey({ dataDir: join(parent, "other"), preset: null });
    expect(other.key.reveal()).not.toBe((await ensure()).key.reveal());
  });

  it("makes one key when several start at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => ensure()));
    expect(new Set(all.map(({ key }) => key.reveal())).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(dataDir)).toEqual(["admin.key"]);
  });

  it("takes a preset key and leaves the folder alone", async () => {
    const preset = new Secret("a-preset-key-0123456789");
    expect(await ensure(preset)).toEqual({ key: preset, created: false });
    await expect(stat(dataDir)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it.each([0o640, 0o604, 0o644, 0o620, 0o666])(
    "refuses a file that others get at (mode %o) and says what to do",
    async (mode) => {
      await put(`${aKey}\n`, mode);
      const error = await ensure().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "admin_key_exposed",
        message: expect.stringContaining("chmod 600"),
      });
      expect(String(error)).not.toContain(aKey);
      await chmod(adminKeyPath(dataDir), 0o600);
      expect((await ensure()).key.reveal()).toBe(aKey);
    },
  );

  it.each(["", "\n", "brt_short", `${aKey}x`, `${aKey}\n${aKey}`, aKey.toUpperCase(), " ".repeat(100_000)])(
    "refuses a file that holds no key: %#",
    async (content) => {
      await put(content);
      const error = await ensure().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "admin_key_malformed",
        message: expect.stringContaining("delete the file"),
      });
      expect(await readFile(adminKeyPath(dataDir), "utf8")).toBe(content);
    },
  );

  it("follows no link and reads no folder", async () => {
    await put(aKey);
    const linked = join(parent, "linked");
    await mkdir(linked);
    await symlink(adminKeyPath(dataDir), adminKeyPath(linked));
    await expect(ensureAdminKey({ dataDir: linked, preset: null })).rejects.toMatchObject({
      code: "admin_key_unreadable",
    });
    await mkdir(join(parent, "folder", "admin.key"), { recursive: true });
    await expect(ensureAdminKey({ dataDir: join(parent, "folder"), preset: null })).rejects.toMatchObject({
      code: "admin_key_malformed",
    });
  });
});

describe("readAdminKey", () => {
  it("makes nothing", async () => {
    expect(await readAdminKey(dataDir)).toBeNull();
    await put(`${aKey}\n`);
    expect((await readAdminKey(dataDir))?.reveal()).toBe(aKey);
  });
});

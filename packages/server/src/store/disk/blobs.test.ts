import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failpoints } from "../../lib/failpoint.ts";
import { blobsConformance } from "../blobs.conformance.ts";
import { createDiskBlobs } from "./blobs.ts";

const victim = new URL("../../../test/support/store/blob-victim.ts", import.meta.url).pathname;
const bytes = (text: string) => new TextEncoder().encode(text);
const newFolder = () => mkdtemp(join(tmpdir(), "berth-blobs-"));

blobsConformance("disk", async () => {
  const dataDir = await newFolder();
  const noted: string[] = [];
  const blobs = createDiskBlobs({
    dataDir,
    note: async (orgId, hash, size) => void noted.push(`${orgId} ${hash} ${size}`),
  });
  return { blobs, noted, close: () => rm(dataDir, { recursive: true }) };
});

describe("blobs on disk", () => {
  const noted = new Set<string>();
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await newFolder();
    noted.clear();
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const open = () =>
    createDiskBlobs({
      dataDir,
      note: async (_orgId, hash) => void noted.add(hash),
      isNoted: async (_orgId, hash) => noted.has(hash),
    });

  async function files(): Promise<string[]> {
    const entries = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  it("lie in folders whose names come from hashes alone, readable by their owner only", async () => {
    const { hash } = await open().put("../../org", bytes("x"));
    const [file, ...others] = await files();
    expect(others).toEqual([]);
    expect(file?.slice(join(dataDir, "blobs").length)).toMatch(
      new RegExp(`^/[0-9a-f]{32}/${hash.slice(0, 2)}/${hash}$`),
    );
    expect((await stat(file ?? "")).mode & 0o077).toBe(0);
  });

  it("stay when they were put again between their collection and the deletion of the file", async () => {
    const blobs = open();
    const { hash } = await blobs.put("org_1", bytes("x"));
    noted.delete(hash);
    const [, again] = await Promise.all([blobs.delete("org_1", hash), blobs.put("org_1", bytes("x"))]);
    expect(await blobs.has("org_1", again.hash)).toBe(true);
    await blobs.delete("org_1", hash);
    expect(await blobs.has("org_1", hash)).toBe(true);
    noted.delete(hash);
    await blobs.delete("org_1", hash);
    expect(await files()).toEqual([]);
  });

  it("are written anew when the file is shorter than it must be", async () => {
    const { hash } = await open().put("org_1", bytes("whole"));
    await truncate((await files())[0] ?? "", 2);
    await open().put("org_1", bytes("whole"));
    expect(await open().get("org_1", hash)).toEqual(bytes("whole"));
  });

  it("say so when their folder cannot be used", async () => {
    await writeFile(join(dataDir, "blobs"), "a file in the way");
    const put = open().put("org_1", bytes("x"));
    await expect(put).rejects.toMatchObject({ code: "store_unavailable", retryable: true });
  });

  const deaths = [
    { point: "blob.before-write", kept: 0, left: 0 },
    { point: "blob.before-rename", kept: 0, left: 1 },
    { point: "blob.after-rename", kept: 1, left: 0 },
  ] as const;

  it.each(deaths)("are whole or not there when the process dies at $point", async ({ point, kept, left }) => {
    const { signal, stdout } = spawnSync(process.execPath, [victim, dataDir, point, "text"], {
      encoding: "utf8",
    });
    expect({ signal, stdout }).toEqual({ signal: "SIGKILL", stdout: "noted\n" });
    const hash = createHash("sha256").update("text").digest("hex");
    const found = await files();
    expect(found.filter((file) => file.endsWith(hash))).toHaveLength(kept);
    expect(found).toHaveLength(kept + left);
    const blobs = open();
    expect(await blobs.get("org_1", hash)).toEqual(kept === 1 ? bytes("text") : null);
    await blobs.put("org_1", bytes("text"));
    expect(await files()).toHaveLength(1);
    expect(await blobs.get("org_1", hash)).toEqual(bytes("text"));
  });

  it("are killed at every failpoint that they have", () => {
    const tried = deaths.map(({ point }) => point);
    expect(failpoints.filter((point) => point.startsWith("blob."))).toEqual(tried);
  });
});

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BerthError } from "../../lib/errors.ts";
import { type PartHead, writePart } from "./parts.ts";
import { readBackup } from "./read-backup.ts";
import { type BackupKey, SealedWriter } from "./sealed-file.ts";
import { writeBackup } from "./write-backup.ts";

const newKey = (): BackupKey => ({ id: "test", key: randomBytes(32) });
const hashOf = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const manifest = {
  version: "0.0.0",
  schema: 8,
  deployment: "dep_1",
  generation: 1,
  createdAt: "2030-01-01T00:00:00.000Z",
  keys: { master: "m", pepper: "p", audit: "a" },
  counts: { sessions: 1 },
};

describe("a backup's file", () => {
  const key = newKey();
  let folder = "";
  let path = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-backup-"));
    path = join(folder, "one.backup");
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Frames of 1 MiB: the database fills two and a half, the blobs are small. */
  async function write(blobs: readonly Buffer[] = [Buffer.from("first"), Buffer.from("second")]) {
    const database = join(folder, "db");
    const bytes = randomBytes(2_500_000);
    await writeFile(database, bytes);
    const named = blobs.map((data) => ({ orgId: "org_1", hash: hashOf(data), size: data.byteLength }));
    const stored = new Map(blobs.map((data) => [hashOf(data), data]));
    const progress: number[] = [];
    const written = await writeBackup({
      path,
      key,
      manifest,
      database: {
        path: database,
        bytes: bytes.byteLength,
        blobCount: named.length,
        blobBytes: named.reduce((sum, { size }) => sum + size, 0),
        blobs: () => named.map((blob) => ({ ...blob, referenced: true })),
      },
      blobs: { get: async (_orgId, hash) => stored.get(hash) ?? null },
      onProgress: (done, total) => progress.push(done / total),
    });
    return { bytes, written, progress };
  }

  async function read(keys: readonly BackupKey[] = [key]) {
    const database: Buffer[] = [];
    const blobs: string[] = [];
    const result = await readBackup(
      { path, keys },
      {
        manifest: async () => {},
        async database(bytes) {
          for await (const piece of bytes) database.push(Buffer.from(piece));
        },
        blob: async ({ orgId, data }) => void blobs.push(`${orgId} ${data.toString()}`),
      },
    );
    return { ...result, database: Buffer.concat(database), blobs };
  }

  const refusal = async (keys?: readonly BackupKey[]) => {
    const thrown: unknown = await read(keys).then(
      () => null,
      (error: unknown) => error,
    );
    return thrown instanceof BerthError ? thrown.code : String(thrown);
  };

  it("gives back what was put into it, and shows none of it to who has no key", async () => {
    const { bytes, written, progress } = await write();
    const back = await read();
    expect(back.database.equals(bytes)).toBe(true);
    expect(back.blobs).toEqual(["org_1 first", "org_1 second"]);
    expect(back.manifest).toMatchObject({ ...manifest, blobs: 2, blobBytes: 11 });
    expect(written).toMatchObject({ blobs: 2, missingBlobs: 0 });
    expect(progress.at(-1)).toBe(1);
    const sealed = await readFile(path);
    expect(sealed.byteLength).toBe(written.bytes);
    expect(sealed.includes("dep_1") || sealed.includes("second")).toBe(false);
    expect(
      (await open(path).then(async (file) => file.stat().finally(() => file.close()))).mode & 0o777,
    ).toBe(0o600);
  });

  it("is refused with another key, and when it is something else", async () => {
    await write();
    expect(await refusal([newKey(), newKey()])).toBe("backup_wrong_key");
    await writeFile(path, randomBytes(5_000));
    expect(await refusal()).toBe("backup_unreadable");
    await writeFile(path, "");
    expect(await refusal()).toBe("backup_unreadable");
  });

  it("DAT-02: is refused when it is cut off anywhere", async () => {
    await write();
    const whole = await readFile(path);
    for (const length of [
      9,
      100,
      200_000,
      1_048_900,
      2_300_000,
      whole.byteLength - 200,
      whole.byteLength - 1,
    ]) {
      await writeFile(path, whole.subarray(0, length));
      expect(["backup_damaged", "backup_unreadable"]).toContain(await refusal());
    }
    // Frames that are whole, and the last ones missing.
    const [first = 0, second = 0] = framesOf(whole);
    expect(second).toBeGreaterThan(first);
    await writeFile(path, whole.subarray(0, second));
    expect(await refusal()).toBe("backup_damaged");
  });

  it("DAT-02: is refused when any byte of it is another, or there are more", async () => {
    await write();
    const whole = await readFile(path);
    const places = [14, 60, 120, 300, 1_048_700, whole.byteLength - 20, whole.byteLength - 1];
    for (const place of places) {
      const changed = Buffer.from(whole);
      changed.writeUInt8((changed.readUInt8(place) ^ 1) & 0xff, place);
      await writeFile(path, changed);
      expect(["backup_damaged", "backup_wrong_key", "backup_unreadable"]).toContain(await refusal());
    }
    await writeFile(path, Buffer.concat([whole, Buffer.from("x")]));
    expect(await refusal()).toBe("backup_damaged");
  });

  it("DAT-02: is refused when its frames change places, or come from another backup", async () => {
    await write();
    const whole = await readFile(path);
    const [first = 0, second = 0, third = 0] = framesOf(whole);
    const swapped = Buffer.concat([
      whole.subarray(0, first),
      whole.subarray(second, third),
      whole.subarray(first, second),
      whole.subarray(third),
    ]);
    expect(swapped.byteLength).toBe(whole.byteLength);
    await writeFile(path, swapped);
    expect(await refusal()).toBe("backup_damaged");
    await rm(path);
    await write();
    const other = await readFile(path);
    await writeFile(path, Buffer.concat([other.subarray(0, second), whole.subarray(second)]));
    expect(await refusal()).toBe("backup_damaged");
  });

  it("DAT-02: has no place for a path, whoever sealed it", async () => {
    const end = { kind: "end", size: 0, parts: 3, missingBlobs: 0 };
    const data = Buffer.from("x");
    const cases = [
      { kind: "blob", size: 1, org: "org_1", hash: `../../${hashOf(data)}` },
      { kind: "blob", size: 1, org: "org_1", hash: hashOf(data), path: "/etc/cron.d/x" },
      { kind: "file", size: 1, path: "../../../etc/passwd" },
      { kind: "blob", size: 1, org: "org_1", hash: "0".repeat(64) },
    ];
    for (const head of cases) {
      await sealedOf(path, key, [
        [{ kind: "manifest", size: 0, format: 1, ...manifest, blobs: 0, blobBytes: 0 }, Buffer.alloc(0)],
        [{ kind: "database", size: 1 }, data],
        [head, data],
        [end, Buffer.alloc(0)],
      ]);
      expect(await refusal()).toBe("backup_damaged");
      await rm(path);
    }
    // The same with an honest part is read.
    await sealedOf(path, key, [
      [{ kind: "manifest", size: 0, format: 1, ...manifest, blobs: 1, blobBytes: 1 }, Buffer.alloc(0)],
      [{ kind: "database", size: 1 }, data],
      [{ kind: "blob", size: 1, org: "../../etc", hash: hashOf(data) }, data],
      [end, Buffer.alloc(0)],
    ]);
    expect((await read()).blobs).toEqual(["../../etc x"]);
  });

  it("leaves nothing when it cannot be finished, and goes on without a blob that is damaged", async () => {
    const blob = Buffer.from("whole");
    const database = join(folder, "db");
    await writeFile(database, "database");
    const named = { orgId: "org_1", hash: hashOf(blob), size: 5 };
    const job = { path, key, manifest, blobs: { get: async () => Buffer.from("wrong") } };
    const withBlobs = (referenced: boolean) => ({
      path: database,
      bytes: 8,
      blobCount: 1,
      blobBytes: 5,
      blobs: () => [{ ...named, referenced }],
    });
    expect(await writeBackup({ ...job, database: withBlobs(true) })).toMatchObject({
      blobs: 0,
      missingBlobs: 1,
    });
    expect(await writeBackup({ ...job, database: withBlobs(false) })).toMatchObject({ missingBlobs: 0 });
    await rm(path);
    const stopped = AbortSignal.abort(new Error("stopped"));
    await expect(writeBackup({ ...job, database: withBlobs(true), signal: stopped })).rejects.toThrow(
      "stopped",
    );
    expect(await readdir(folder)).toEqual(["db"]);
  });
});

/** Where each frame begins. */
function framesOf(file: Buffer): number[] {
  const places: number[] = [];
  for (let at = 12 + file.readUInt32BE(8); at < file.byteLength;) {
    places.push(at);
    at += 4 + (file.readUInt32BE(at) & 0x7fff_ffff) + 16;
  }
  return places;
}

async function sealedOf(
  path: string,
  key: BackupKey,
  parts: readonly (readonly [head: object, bytes: Buffer])[],
): Promise<void> {
  const file = await open(path, "wx");
  const to = await SealedWriter.begin(file, key);
  async function* once(bytes: Buffer) {
    yield bytes;
  }
  for (const [head, bytes] of parts) await writePart(to, head as PartHead, once(bytes));
  await to.end();
  await file.close();
}

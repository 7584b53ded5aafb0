import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { asBerthError, BerthError } from "../../lib/errors.ts";
import { failpoint } from "../../lib/failpoint.ts";
import type { Blobs } from "../blobs.ts";
import { readOnlyFolder } from "../read-only-folder.ts";

export interface DiskBlobsOptions {
  /** Blobs lie in its folder `blobs`. */
  readonly dataDir: string;
  /** Notes a blob in the store, before its file is there. */
  readonly note: (orgId: string, hash: string, size: number) => Promise<void>;
  /** Whether the store has it noted: then `delete` leaves the file, because somebody put it again after its collection. */
  readonly isNoted?: (orgId: string, hash: string) => Promise<boolean>;
}

const hashFormat = /^[0-9a-f]{64}$/;

/**
 * Blobs as files: `blobs/<org>/<first two of the hash>/<hash>`, the org as a hash of its id, so that no name from outside
 * becomes part of a path. Reads check nothing but the size.
 */
export function createDiskBlobs(options: DiskBlobsOptions): Blobs {
  const root = join(options.dataDir, "blobs");
  const place = (orgId: string, hash: string) => {
    if (!hashFormat.test(hash))
      throw new BerthError("blob_hash_invalid", "A blob's hash is 64 lower-case hex digits.");
    return join(root, createHash("sha256").update(orgId).digest("hex").slice(0, 32), hash.slice(0, 2), hash);
  };
  const inTurn = turns();
  const temporary = temporaryFolder(join(root, "tmp"));
  return {
    async put(orgId, data) {
      const hash = createHash("sha256").update(data).digest("hex");
      const path = place(orgId, hash);
      return inTurn(path, async () => {
        await options.note(orgId, hash, data.byteLength);
        if ((await sizeOf(path)) !== data.byteLength) await writeDurably(path, data, await temporary());
        // Also when it was there: who put it may have died between rename and fsync.
        await syncFolder(dirname(path));
        failpoint("blob.after-rename");
        return { hash, size: data.byteLength };
      });
    },
    get: async (orgId, hash, range) => read(place(orgId, hash), range),
    has: async (orgId, hash) => (await sizeOf(place(orgId, hash))) !== null,
    async delete(orgId, hash) {
      const path = place(orgId, hash);
      await inTurn(path, async () => {
        if ((await options.isNoted?.(orgId, hash)) === true) return;
        await rm(path, { force: true }).catch(rethrow);
      });
    },
  };
}

/** Puts and deletes of one blob one after the other, so that a delete never takes what a put has just found. */
function turns(): <T>(path: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (path, work) => {
    const before = last.get(path) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(path, mine);
    try {
      return await mine;
    } finally {
      if (last.get(path) === mine) last.delete(path);
    }
  };
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    return rethrow(thrown);
  }
}

async function read(path: string, range?: { offset: number; length: number }): Promise<Uint8Array | null> {
  let file;
  try {
    file = await open(path, "r");
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return null;
    return rethrow(thrown);
  }
  try {
    const { size } = await file.stat();
    const offset = Math.min(Math.max(range?.offset ?? 0, 0), size);
    const length = Math.min(Math.max(range?.length ?? size, 0), size - offset);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw new BerthError("blob_damaged", `The blob ${path} is shorter than it was.`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** Made and emptied at the first put: what lies in it was left by a process that died. */
function temporaryFolder(folder: string): () => Promise<string> {
  let ready: Promise<string> | null = null;
  const prepare = async () => {
    try {
      await rm(folder, { recursive: true, force: true });
      await makeFolder(folder);
      return folder;
    } catch (thrown) {
      ready = null;
      return rethrow(thrown);
    }
  };
  return () => (ready ??= prepare());
}

/** The bytes, then their name: after a crash there is the whole file or none. */
async function writeDurably(path: string, data: Uint8Array, folder: string): Promise<void> {
  const temporary = join(folder, randomBytes(16).toString("hex"));
  try {
    await makeFolder(dirname(path));
    failpoint("blob.before-write");
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    failpoint("blob.before-rename");
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    rethrow(thrown);
  }
}

/** Each folder that was made must be in its parent's list before a file in it counts as kept. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch (thrown) {
    rethrow(thrown);
  }
}

function codeOf(thrown: unknown): string | null {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : null;
}

function rethrow(thrown: unknown): never {
  const code = codeOf(thrown);
  if (thrown instanceof BerthError) throw thrown;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const message = "The disk of the data folder is full: make room and try again.";
    throw new BerthError("disk_full", message, { retryable: true, cause: thrown });
  }
  if (code === "EROFS") throw readOnlyFolder(thrown);
  if (code !== null) {
    throw new BerthError("store_unavailable", `The blob folder cannot be used just now (${code}).`, {
      retryable: true,
      cause: thrown,
    });
  }
  throw asBerthError(thrown);
}

import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { BerthError } from "../../lib/errors.ts";
import type { Blobs } from "../blobs.ts";
import { type BackupManifest, writePart } from "./parts.ts";
import { type BackupKey, frameBytes, SealedWriter } from "./sealed-file.ts";

/** A copy of the database as it was at one moment, on its own. */
export interface DatabaseCopy {
  readonly path: string;
  readonly bytes: number;
  readonly blobCount: number;
  readonly blobBytes: number;
  /** The blobs that it names, in any order. */
  blobs(): Iterable<NamedBlob>;
}

export interface NamedBlob {
  readonly orgId: string;
  readonly hash: string;
  readonly size: number;
  /** False: it may be missing, because whoever put it may have died before its file was there. */
  readonly referenced: boolean;
}

export interface BackupJob {
  /** Where it is to be; there is nothing, or the whole of it. */
  readonly path: string;
  readonly key: BackupKey;
  readonly manifest: Omit<BackupManifest, "kind" | "size" | "format" | "blobs" | "blobBytes">;
  readonly database: DatabaseCopy;
  readonly blobs: Pick<Blobs, "get">;
  readonly signal?: AbortSignal;
  /** Bytes of content so far, and in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WrittenBackup {
  readonly bytes: number;
  readonly blobs: number;
  /** Blobs that are referred to and not there, or not whole: the folder was damaged before. */
  readonly missingBlobs: number;
}

/** Writes a backup beside its name, then renames it. Rejects with the signal's reason, or as the disk does; then nothing is left. */
export async function writeBackup(job: BackupJob): Promise<WrittenBackup> {
  const draft = `${job.path}.tmp`;
  const file = await open(draft, "wx", 0o600);
  try {
    const to = await SealedWriter.begin(file, job.key);
    const { blobs, missingBlobs } = await writeContent(to, job);
    await to.end();
    const { size } = await file.stat();
    await file.close();
    await rename(draft, job.path);
    await syncFolder(dirname(job.path));
    return { bytes: size, blobs, missingBlobs };
  } catch (thrown) {
    await file.close();
    await rm(draft, { force: true });
    throw thrown;
  }
}

async function writeContent(
  to: SealedWriter,
  job: BackupJob,
): Promise<Pick<WrittenBackup, "blobs" | "missingBlobs">> {
  const { manifest, database, signal, onProgress } = job;
  const { blobCount, blobBytes } = database;
  const total = database.bytes + blobBytes;
  let done = 0;
  const counted = async function* (bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
    for await (const piece of bytes) {
      signal?.throwIfAborted();
      yield piece;
      done += piece.byteLength;
      onProgress?.(done, total);
    }
  };
  await writePart(to, { kind: "manifest", size: 0, format: 1, ...manifest, blobs: blobCount, blobBytes });
  await writePart(to, { kind: "database", size: database.bytes }, counted(fileBytes(database.path)));
  let parts = 2;
  let missingBlobs = 0;
  for (const { orgId, hash, size, referenced } of database.blobs()) {
    const data = await job.blobs.get(orgId, hash).catch(nothingIfDamaged);
    if (data === null || createHash("sha256").update(data).digest("hex") !== hash) {
      if (referenced) missingBlobs += 1;
      done += size;
      continue;
    }
    await writePart(to, { kind: "blob", size: data.byteLength, org: orgId, hash }, counted([data]));
    parts += 1;
  }
  await writePart(to, { kind: "end", size: 0, parts, missingBlobs });
  return { blobs: parts - 2, missingBlobs };
}

function nothingIfDamaged(thrown: unknown): null {
  if (thrown instanceof BerthError && thrown.code === "blob_damaged") return null;
  throw thrown;
}

async function* fileBytes(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (const buffer = Buffer.alloc(frameBytes); ;) {
      const { bytesRead } = await file.read(buffer, 0, frameBytes, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  await folder.sync().finally(() => folder.close());
}

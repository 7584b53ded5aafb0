import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { damaged } from "./errors.ts";
import { type BackupManifest, type Part, type PartHead, readParts } from "./parts.ts";
import { type BackupKey, SealedReader } from "./sealed-file.ts";

/** Takes what a backup holds, in order: the manifest, the database, the blobs. Nothing of it counts until `readBackup` has resolved. */
export interface BackupSink {
  /** Rejects when this backup is not wanted; then nothing more is read. */
  manifest(manifest: BackupManifest): Promise<void>;
  database(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  blob(blob: { readonly orgId: string; readonly hash: string; readonly data: Buffer }): Promise<void>;
}

export interface ReadBackup {
  readonly manifest: BackupManifest;
  readonly blobs: number;
  readonly missingBlobs: number;
}

/**
 * Reads a whole backup and checks every byte of it. Rejects with `backup_unreadable`, `backup_wrong_key`, `backup_damaged`, or as the
 * sink does.
 */
export async function readBackup(
  { path, keys, signal }: { path: string; keys: readonly BackupKey[]; signal?: AbortSignal },
  sink: BackupSink,
): Promise<ReadBackup> {
  const file = await open(path, "r");
  try {
    const order = createOrder();
    for await (const part of readParts(await SealedReader.open(file, keys))) {
      signal?.throwIfAborted();
      order.take(part.head);
      await give(part, sink);
    }
    return order.end();
  } finally {
    await file.close();
  }
}

async function give({ head, bytes }: Part, sink: BackupSink): Promise<void> {
  if (head.kind === "manifest") return sink.manifest(head);
  if (head.kind === "database") return sink.database(bytes);
  if (head.kind === "end") return;
  const pieces: Buffer[] = [];
  for await (const piece of bytes) pieces.push(Buffer.from(piece));
  const data = Buffer.concat(pieces);
  if (createHash("sha256").update(data).digest("hex") !== head.hash)
    throw damaged(`the blob ${head.hash} has other bytes`);
  await sink.blob({ orgId: head.org, hash: head.hash, data });
}

/** One manifest, one database, then blobs, then the end, which says how many parts there were. */
function createOrder(): { take(head: PartHead): void; end(): ReadBackup } {
  let manifest: BackupManifest | null = null;
  let end: PartHead | null = null;
  let parts = 0;
  return {
    take(head) {
      const place = parts === 0 ? "manifest" : parts === 1 ? "database" : "blob";
      const fits = head.kind === place || (head.kind === "end" && parts >= 2);
      if (end !== null || !fits) throw damaged("its parts are not in order");
      if (head.kind === "manifest") manifest = head;
      if (head.kind === "end") end = head;
      else parts += 1;
    },
    end() {
      if (manifest === null || end?.kind !== "end" || end.parts !== parts) throw damaged("parts are missing");
      return { manifest, blobs: parts - 2, missingBlobs: end.missingBlobs };
    },
  };
}

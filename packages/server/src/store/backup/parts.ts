import { createHash } from "node:crypto";
import { z } from "zod";
import { damaged } from "./errors.ts";
import { frameBytes, type SealedReader, type SealedWriter, u32 } from "./sealed-file.ts";

const count = z.int().nonnegative();
const keyId = z.string().max(64);

export const backupManifest = z.strictObject({
  kind: z.literal("manifest"),
  size: z.literal(0),
  format: z.literal(1),
  /** Of the program that made it. */
  version: z.string().max(100),
  /** The newest migration of the database. */
  schema: count,
  deployment: z.string().max(100),
  generation: count,
  createdAt: z.iso.datetime(),
  /** Ids of the server's keys, which are in no backup: what it holds can be used with these only. */
  keys: z.strictObject({ master: keyId, pepper: keyId, audit: keyId }),
  counts: z.record(z.string().max(64), count),
  blobs: count,
  blobBytes: count,
});
export type BackupManifest = z.infer<typeof backupManifest>;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** What a part says of itself before its bytes. A name of a file is never among it. */
const partHead = z.discriminatedUnion("kind", [
  backupManifest,
  z.strictObject({ kind: z.literal("database"), size: count }),
  z.strictObject({ kind: z.literal("blob"), size: count, org: z.string().min(1).max(100), hash }),
  z.strictObject({ kind: z.literal("end"), size: z.literal(0), parts: count, missingBlobs: count }),
]);
export type PartHead = z.infer<typeof partHead>;

const maxHead = 64 * 1024;
const digestBytes = 32;

/** One part: the length of its head, its head as JSON, its bytes, and the SHA-256 of head and bytes. */
export async function writePart(
  to: SealedWriter,
  head: PartHead,
  bytes: AsyncIterable<Uint8Array> = nothing(),
): Promise<void> {
  const text = Buffer.from(JSON.stringify(head));
  const digest = createHash("sha256").update(text);
  await to.write(u32(text.byteLength));
  await to.write(text);
  let written = 0;
  for await (const piece of bytes) {
    written += piece.byteLength;
    digest.update(piece);
    await to.write(piece);
  }
  if (written !== head.size)
    throw damaged(`a ${head.kind} of ${head.size} bytes had ${written} when it was read`);
  await to.write(digest.digest());
}

export interface Part {
  readonly head: PartHead;
  /** To be read to its end before the next part is asked for. Rejects with `backup_damaged` when its digest is another. */
  readonly bytes: AsyncIterable<Buffer>;
}

/** The parts in order. What nobody read of a part is read and checked all the same. */
export async function* readParts(from: SealedReader): AsyncGenerator<Part> {
  for (;;) {
    const text = await readHead(from);
    if (text === null) return;
    const head = parseHead(text);
    const bytes = bytesOf(from, text, head.size);
    yield { head, bytes };
    for await (const piece of bytes) void piece;
  }
}

async function readHead(from: SealedReader): Promise<Buffer | null> {
  const first = await from.some(4);
  if (first === null) return null;
  const length = Buffer.concat([first, await from.exactly(4 - first.byteLength)]).readUInt32BE();
  if (length > maxHead) throw damaged("the head of a part has no possible length");
  return from.exactly(length);
}

function parseHead(text: Buffer): PartHead {
  let value: unknown;
  try {
    value = JSON.parse(text.toString("utf8"));
  } catch {
    throw damaged("the head of a part cannot be read");
  }
  const parsed = partHead.safeParse(value);
  if (!parsed.success) throw damaged("it has a part that no backup has");
  return parsed.data;
}

async function* bytesOf(from: SealedReader, head: Buffer, size: number): AsyncGenerator<Buffer> {
  const digest = createHash("sha256").update(head);
  for (let left = size; left > 0;) {
    const piece = await from.some(Math.min(left, frameBytes));
    if (piece === null) throw damaged("it ends within a part");
    left -= piece.byteLength;
    digest.update(piece);
    yield piece;
  }
  if (!digest.digest().equals(await from.exactly(digestBytes)))
    throw damaged("the digest of a part is not that of its bytes");
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // A part without bytes.
}

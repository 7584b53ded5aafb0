import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { BerthError } from "../../lib/errors.ts";
import { damaged, notABackup } from "./errors.ts";

// docs/reference/backup-format.md describes these bytes.

/** 32 bytes that backups are sealed with; the id tells which key it was, and nothing about the key. */
export interface BackupKey {
  readonly id: string;
  readonly key: Buffer;
}

/** What stands at the head of the file for everybody to read. */
interface Head {
  readonly format: 1;
  readonly keyId: string;
  readonly nonce: string;
  /** The file's own key, sealed under the backup key; base64, its tag at the end. */
  readonly fileKey: string;
}

const magic = Buffer.from("BERTHBK1");
const maxHead = 4_096;
export const frameBytes = 1024 * 1024;
const tagBytes = 16;
const lastMark = 0x8000_0000;
const wrapContext = Buffer.from("berth backup file key");

/**
 * Writes a file whose content can only be read with the key. Every frame is bound to its number, to the head and to whether it is
 * the last, so that none can be changed, moved, left out or added.
 */
export class SealedWriter {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #binding: Buffer;
  readonly #frame = Buffer.alloc(frameBytes);
  #filled = 0;
  #frames = 0;

  private constructor(file: FileHandle, key: Buffer, binding: Buffer) {
    this.#file = file;
    this.#key = key;
    this.#binding = binding;
  }

  static async begin(file: FileHandle, { id, key }: BackupKey): Promise<SealedWriter> {
    const [fileKey, nonce] = [randomBytes(32), randomBytes(12)];
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(wrapContext);
    const wrapped = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
    const head: Head = {
      format: 1,
      keyId: id,
      nonce: nonce.toString("base64"),
      fileKey: wrapped.toString("base64"),
    };
    const text = Buffer.from(JSON.stringify(head));
    const bytes = Buffer.concat([magic, u32(text.byteLength), text]);
    await writeAll(file, bytes);
    return new SealedWriter(file, fileKey, sha256(bytes));
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) {
      if (this.#filled === frameBytes) await this.#flush(false);
      const piece = bytes.subarray(at, at + frameBytes - this.#filled);
      this.#frame.set(piece, this.#filled);
      this.#filled += piece.byteLength;
      at += piece.byteLength;
    }
  }

  /** Writes the last frame, also when it is empty, and waits for the disk. */
  async end(): Promise<void> {
    await this.#flush(true);
    await this.#file.sync();
  }

  async #flush(last: boolean): Promise<void> {
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonceOf(this.#frames++, last));
    cipher.setAAD(this.#binding);
    const length = this.#filled;
    const sealed = cipher.update(this.#frame.subarray(0, length));
    this.#filled = 0;
    const mark = u32(last ? length + lastMark : length);
    await writeAll(this.#file, Buffer.concat([mark, sealed, cipher.final(), cipher.getAuthTag()]));
  }
}

/** Reads what a SealedWriter wrote. Nothing comes out that was not checked. */
export class SealedReader {
  readonly #file: FileHandle;
  readonly #key: Buffer;
  readonly #binding: Buffer;
  #at: number;
  #frames = 0;
  #ended = false;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(options: { file: FileHandle; key: Buffer; binding: Buffer; at: number }) {
    this.#file = options.file;
    this.#key = options.key;
    this.#binding = options.binding;
    this.#at = options.at;
  }

  /** Rejects with `backup_unreadable`, or with `backup_wrong_key` when none of the keys opens it. */
  static async open(file: FileHandle, keys: readonly BackupKey[]): Promise<SealedReader> {
    const start = await readExactly(file, 0, magic.byteLength + 4);
    if (start === null || !start.subarray(0, magic.byteLength).equals(magic))
      throw notABackup("it does not begin as one");
    const length = start.readUInt32BE(magic.byteLength);
    const text = length > maxHead ? null : await readExactly(file, start.byteLength, length);
    if (text === null) throw notABackup("its head is not whole");
    const head = parseHead(text);
    const binding = sha256(Buffer.concat([start, text]));
    return new SealedReader({
      file,
      key: unwrap(head, keys),
      binding,
      at: start.byteLength + text.byteLength,
    });
  }

  /** At most `most` bytes, at least one; null at the end. */
  async some(most: number): Promise<Buffer | null> {
    while (this.#rest.byteLength === 0) {
      if (this.#ended) return null;
      this.#rest = await this.#frame();
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.byteLength);
    return taken;
  }

  async exactly(count: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let missing = count; missing > 0;) {
      const piece = await this.some(missing);
      if (piece === null) throw damaged("it ends too early");
      pieces.push(piece);
      missing -= piece.byteLength;
    }
    return Buffer.concat(pieces);
  }

  async #frame(): Promise<Buffer> {
    const mark = await readExactly(this.#file, this.#at, 4);
    if (mark === null) throw damaged("it is cut off");
    const last = mark.readUInt32BE() >= lastMark;
    const length = mark.readUInt32BE() - (last ? lastMark : 0);
    if (length > frameBytes) throw damaged(`frame ${this.#frames} has no possible length`);
    const sealed = await readExactly(this.#file, this.#at + 4, length + tagBytes);
    if (sealed === null) throw damaged("it is cut off");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, nonceOf(this.#frames, last));
    decipher.setAAD(this.#binding).setAuthTag(sealed.subarray(length));
    let plain: Buffer;
    try {
      plain = Buffer.concat([decipher.update(sealed.subarray(0, length)), decipher.final()]);
    } catch {
      throw damaged(`frame ${this.#frames} is not what was written there`);
    }
    this.#at += 4 + sealed.byteLength;
    this.#frames += 1;
    this.#ended = last;
    if (last && (await readExactly(this.#file, this.#at, 1)) !== null)
      throw damaged("something was added to its end");
    return plain;
  }
}

function unwrap({ keyId, nonce, fileKey }: Head, keys: readonly BackupKey[]): Buffer {
  const wrapped = Buffer.from(fileKey, "base64");
  for (const { key } of keys) {
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
      decipher.setAAD(wrapContext).setAuthTag(wrapped.subarray(32));
      return Buffer.concat([decipher.update(wrapped.subarray(0, 32)), decipher.final()]);
    } catch {
      // Another key; which one it has to be is said below.
    }
  }
  throw new BerthError(
    "backup_wrong_key",
    `None of the keys given opens this backup, which needs the one with id ${keyId}: set BERTH_BACKUP_KEY, or BERTH_MASTER_KEY when there was none, or name the server.keys of that server with --keys.`,
    { details: { keyId } },
  );
}

function parseHead(text: Buffer): Head {
  try {
    const head = JSON.parse(text.toString("utf8")) as Partial<Head>;
    const { format, keyId, nonce, fileKey } = head;
    if (format !== 1) throw notABackup("a newer Berth wrote it: use that version");
    if (typeof keyId === "string" && typeof nonce === "string" && typeof fileKey === "string")
      return { format, keyId: keyId.slice(0, 64), nonce, fileKey };
  } catch (thrown) {
    if (thrown instanceof BerthError) throw thrown;
  }
  throw notABackup("its head cannot be read");
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength;)
    written += (await file.write(bytes, written, bytes.byteLength - written)).bytesWritten;
}

/** Null when the file ends before. */
async function readExactly(file: FileHandle, at: number, count: number): Promise<Buffer | null> {
  const bytes = Buffer.alloc(count);
  for (let filled = 0; filled < count;) {
    const { bytesRead } = await file.read(bytes, filled, count - filled, at + filled);
    if (bytesRead === 0) return null;
    filled += bytesRead;
  }
  return bytes;
}

/** A file's key is used for that file alone, so counting is enough to use no nonce twice. */
function nonceOf(frame: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(last ? 1 : 0, 0);
  nonce.writeBigUInt64BE(BigInt(frame), 4);
  return nonce;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

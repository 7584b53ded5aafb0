import { once } from "node:events";
import type { FileHandle } from "node:fs/promises";
import { crc32, createDeflateRaw } from "node:zlib";

// The ZIP format with its 64-bit sizes (APPNOTE 6.3.10, 4.3 and 4.5.3), which every tool of today reads.

interface Entry {
  readonly name: Buffer;
  readonly at: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
}

const utf8Names = 0x0800;
const deflated = 8;
const version = 45;
/** 1980-01-01 00:00, the earliest that the format knows: the same content gives the same bytes. */
const [time, date] = [0, 0x21];
const inExtra = 0xffff_ffff;

/** Writes a ZIP archive into an empty file, one entry after the other. */
export class ZipWriter {
  readonly #file: FileHandle;
  readonly #entries: Entry[] = [];
  #at = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async add(name: string, content: AsyncIterable<string | Uint8Array>): Promise<void> {
    const at = this.#at;
    const bytes = Buffer.from(name);
    const blank: Entry = { name: bytes, at, crc: 0, packed: 0, size: 0 };
    await this.#write(localHeader(blank));
    const start = this.#at;
    const { crc, size } = await this.#deflate(content);
    const entry = { name: bytes, at, crc, packed: this.#at - start, size };
    // Now that the sizes are known.
    await this.#file.write(localHeader(entry), 0, undefined, at);
    this.#entries.push(entry);
  }

  /** Writes the list of entries. Returns the size of the whole. */
  async finish(): Promise<number> {
    const start = this.#at;
    for (const entry of this.#entries) await this.#write(centralHeader(entry));
    const directory = { at: start, size: this.#at - start, entries: this.#entries.length };
    await this.#write(endOf(directory, this.#at));
    return this.#at;
  }

  async #deflate(content: AsyncIterable<string | Uint8Array>): Promise<{ crc: number; size: number }> {
    const deflate = createDeflateRaw();
    let [crc, size] = [0, 0];
    const feed = async () => {
      for await (const piece of content) {
        const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
        crc = crc32(bytes, crc);
        size += bytes.byteLength;
        if (!deflate.write(bytes)) await once(deflate, "drain");
      }
      deflate.end();
    };
    const fed = feed().catch((thrown: unknown) => {
      deflate.destroy(thrown instanceof Error ? thrown : new Error(String(thrown)));
    });
    for await (const packed of deflate) await this.#write(packed as Buffer);
    await fed;
    return { crc, size };
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.byteLength;) {
      const { bytesWritten } = await this.#file.write(bytes, written, undefined, this.#at + written);
      written += bytesWritten;
    }
    this.#at += bytes.byteLength;
  }
}

function localHeader({ name, crc, packed, size }: Entry): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x0403_4b50, 0);
  writeCommon(head, 4, crc);
  head.writeUInt16LE(name.byteLength, 26);
  const extra = extraField([size, packed]);
  head.writeUInt16LE(extra.byteLength, 28);
  return Buffer.concat([head, name, extra]);
}

function centralHeader({ name, at, crc, packed, size }: Entry): Buffer {
  const head = Buffer.alloc(46);
  head.writeUInt32LE(0x0201_4b50, 0);
  head.writeUInt16LE((3 << 8) | version, 4);
  writeCommon(head, 6, crc);
  head.writeUInt16LE(name.byteLength, 28);
  const extra = extraField([size, packed, at]);
  head.writeUInt16LE(extra.byteLength, 30);
  head.writeUInt32LE(0o100600 * 0x1_0000, 38);
  head.writeUInt32LE(inExtra, 42);
  return Buffer.concat([head, name, extra]);
}

/** What both headers have: version, flags, method, time, date, CRC, and sizes that stand in the extra field. */
function writeCommon(head: Buffer, at: number, crc: number): void {
  head.writeUInt16LE(version, at);
  head.writeUInt16LE(utf8Names, at + 2);
  head.writeUInt16LE(deflated, at + 4);
  head.writeUInt16LE(time, at + 6);
  head.writeUInt16LE(date, at + 8);
  head.writeUInt32LE(crc, at + 10);
  head.writeUInt32LE(inExtra, at + 14);
  head.writeUInt32LE(inExtra, at + 18);
}

function extraField(values: readonly number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, index) => extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index));
  return extra;
}

function endOf(directory: { at: number; size: number; entries: number }, at: number): Buffer {
  const end = Buffer.alloc(56 + 20 + 22);
  end.writeUInt32LE(0x0606_4b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE((3 << 8) | version, 12);
  end.writeUInt16LE(version, 14);
  end.writeBigUInt64LE(BigInt(directory.entries), 24);
  end.writeBigUInt64LE(BigInt(directory.entries), 32);
  end.writeBigUInt64LE(BigInt(directory.size), 40);
  end.writeBigUInt64LE(BigInt(directory.at), 48);
  end.writeUInt32LE(0x0706_4b50, 56);
  end.writeBigUInt64LE(BigInt(at), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x0605_4b50, 76);
  end.writeUInt16LE(0xffff, 84);
  end.writeUInt16LE(0xffff, 86);
  end.writeUInt32LE(inExtra, 88);
  end.writeUInt32LE(inExtra, 92);
  return end;
}

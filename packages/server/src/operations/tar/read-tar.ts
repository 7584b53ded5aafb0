import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import { BerthError } from "../../lib/errors.ts";
import {
  blockBytes,
  decode,
  invalidArchive,
  readAttributes,
  readHeader,
  type TarAbout,
  type TarHeader,
} from "./tar-header.ts";

export interface TarLimits {
  /** Entries, those included that are only about others. */
  readonly entries: number;
  /** Unpacked, all together. */
  readonly bytes: number;
  /** Unpacked, one. */
  readonly fileBytes: number;
}

export interface TarEntry {
  readonly path: string;
  readonly kind: "file" | "directory" | "link" | "hard_link" | "special";
  readonly size: number;
  /** Of a file: its owner may run it. */
  readonly executable: boolean;
  /** What a link says, which may be anything; empty for all else. */
  readonly target: string;
  /** Its bytes; at most once, before the next entry is asked for. */
  read(): Promise<Uint8Array>;
}

/** What pax and GNU tar say about an entry takes at most this. */
const mostAttributes = 64 * 1024;

/**
 * The entries of a tar archive, packed by gzip or not, unpacked piece by piece as they are asked for: never more of it is in memory than one
 * file. Throws `archive_invalid` or `archive_too_large`.
 */
export async function* readTar(data: Uint8Array, limits: TarLimits): AsyncGenerator<TarEntry> {
  const bytes = new Bytes(unpack(data), limits.bytes);
  let told: TarAbout = {};
  try {
    for (let count = 1; ; count++) {
      const header = await nextHeader(bytes);
      if (header === null) return;
      if (count > limits.entries) throw tooLarge(`it has more than ${limits.entries} entries`);
      const { kind, executable } = header;
      if (kind === "path" || kind === "target" || kind === "attributes" || kind === "ignored") {
        told = { ...told, ...(await readAbout(bytes, header)) };
        continue;
      }
      const { path = header.path } = told;
      const target = kind === "link" ? (told.target ?? header.target) : "";
      const size = header.kind === "file" ? (told.size ?? header.size) : 0;
      told = {};
      if (size > limits.fileBytes)
        throw tooLarge(`${JSON.stringify(path.slice(0, 200))} in it has more than ${limits.fileBytes} bytes`);
      let taken = false;
      const read = async () => {
        taken = true;
        return await bytes.take(size);
      };
      yield { path, kind, size, executable, target, read };
      if (!taken) await bytes.skip(size);
      await bytes.skip(padding(size));
    }
  } finally {
    await bytes.close();
  }
}

function unpack(data: Uint8Array): AsyncIterator<Uint8Array> {
  const packed = data[0] === 0x1f && data[1] === 0x8b;
  if (!packed)
    return (async function* () {
      yield data;
    })();
  const source = Readable.from([data]);
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  source.once("error", (cause) => gunzip.destroy(cause));
  return source.pipe(gunzip)[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
}

/** Null at the end: a block of zeros, or no block at all. */
async function nextHeader(bytes: Bytes): Promise<TarHeader | null> {
  if (await bytes.atEnd()) return null;
  const block = await bytes.take(blockBytes);
  return block.every((byte) => byte === 0) ? null : readHeader(block);
}

async function readAbout(bytes: Bytes, { kind, size }: TarHeader): Promise<TarAbout> {
  if (size > mostAttributes) throw invalidArchive("the attributes of an entry are too long");
  const data = await bytes.take(size);
  await bytes.skip(padding(size));
  if (kind === "attributes") return readAttributes(data);
  const text = () => decode(data).replace(/\0+$/, "");
  if (kind === "target") return { target: text() };
  return kind === "path" ? { path: text() } : {};
}

const padding = (size: number) => (blockBytes - (size % blockBytes)) % blockBytes;

/** Bytes that come in pieces, taken by number. */
class Bytes {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #most: number;
  #piece: Uint8Array = new Uint8Array(0);
  #seen = 0;

  constructor(source: AsyncIterator<Uint8Array>, most: number) {
    this.#source = source;
    this.#most = most;
  }

  async atEnd(): Promise<boolean> {
    while (this.#piece.length === 0) if (!(await this.#more())) return true;
    return false;
  }

  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    await this.#each(length, (part, at) => taken.set(part, at));
    return taken;
  }

  async skip(length: number): Promise<void> {
    await this.#each(length, () => undefined);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #each(length: number, use: (part: Uint8Array, at: number) => void): Promise<void> {
    for (let at = 0; at < length;) {
      if (await this.atEnd()) throw invalidArchive("it ends in the middle of an entry");
      const part = this.#piece.subarray(0, length - at);
      use(part, at);
      at += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
  }

  async #more(): Promise<boolean> {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await this.#source.next();
    } catch {
      throw invalidArchive("what gzip packed is damaged");
    }
    if (next.done) return false;
    this.#piece = next.value;
    this.#seen += next.value.length;
    if (this.#seen > this.#most) throw tooLarge(`unpacked it has more than ${this.#most} bytes`);
    return true;
  }
}

function tooLarge(why: string): BerthError {
  return new BerthError(
    "archive_too_large",
    `This archive cannot be taken: ${why}. Send it in parts, or unpack it with a command.`,
  );
}

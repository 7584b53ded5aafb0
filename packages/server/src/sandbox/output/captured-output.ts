import { ByteRing } from "./byte-ring.ts";
import { wholeLength, wholeStart } from "./utf8-cut.ts";

/** The head and the tail of a stream of any length, in bounded memory. */
export class CapturedOutput {
  readonly #half: number;
  /** Never more than it takes: a room for all, because a list of chunks costs hundreds of bytes for each of one byte. */
  readonly #head: ByteRing;
  readonly #tail: ByteRing;

  constructor(maxBytes: number) {
    this.#half = Math.ceil(maxBytes / 2);
    this.#head = new ByteRing(this.#half);
    this.#tail = new ByteRing(Math.max(0, maxBytes - this.#half));
  }

  get totalBytes(): number {
    return this.#head.total + this.#tail.total;
  }

  get truncated(): boolean {
    return this.#tail.start > 0;
  }

  push(chunk: Buffer): void {
    const room = this.#half - this.#head.total;
    if (room > 0) this.#head.push(chunk.subarray(0, room));
    if (chunk.length > room) this.#tail.push(chunk.subarray(room));
  }

  /** What is kept, as text; a line in the middle tells how many bytes were cut. Invalid UTF-8 becomes U+FFFD. */
  text(): string {
    const head = this.#head.from(0);
    const tail = this.#tail.from(0);
    if (!this.truncated) return Buffer.concat([head, tail]).toString("utf8");
    const before = head.subarray(0, wholeLength(head));
    const after = tail.subarray(wholeStart(tail));
    const cut = this.totalBytes - before.length - after.length;
    return `${before.toString("utf8")}\n[... ${cut} bytes were cut here ...]\n${after.toString("utf8")}`;
  }
}

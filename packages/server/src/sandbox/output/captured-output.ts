import { ByteRing } from "./byte-ring.ts";
import { wholeLength, wholeStart } from "./utf8-cut.ts";

/** The head and the tail of a stream of any length, in bounded memory. */
export class CapturedOutput {
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  readonly #tail: ByteRing;

  constructor(maxBytes: number) {
    this.#half = Math.ceil(maxBytes / 2);
    this.#tail = new ByteRing(Math.max(0, maxBytes - this.#half));
  }

  get totalBytes(): number {
    return this.#headBytes + this.#tail.total;
  }

  get truncated(): boolean {
    return this.#tail.start > 0;
  }

  push(chunk: Buffer): void {
    const room = this.#half - this.#headBytes;
    if (room > 0) {
      // A copy: a small chunk would keep the whole buffer alive that it was read into.
      const head = Buffer.from(chunk.subarray(0, room));
      this.#head.push(head);
      this.#headBytes += head.length;
    }
    if (chunk.length > room) this.#tail.push(chunk.subarray(Math.max(0, room)));
  }

  /** What is kept, as text; a line in the middle tells how many bytes were cut. Invalid UTF-8 becomes U+FFFD. */
  text(): string {
    const head = Buffer.concat(this.#head);
    const tail = this.#tail.from(0);
    if (!this.truncated) return Buffer.concat([head, tail]).toString("utf8");
    const before = head.subarray(0, wholeLength(head));
    const after = tail.subarray(wholeStart(tail));
    const cut = this.totalBytes - before.length - after.length;
    return `${before.toString("utf8")}\n[... ${cut} bytes were cut here ...]\n${after.toString("utf8")}`;
  }
}

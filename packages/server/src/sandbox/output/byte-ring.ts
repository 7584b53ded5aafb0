/** The last bytes of a stream: a fixed room that grows as it is needed, so that a flood of small chunks costs no more. */
export class ByteRing {
  readonly #capacity: number;
  #room: Buffer;
  #total = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#room = Buffer.alloc(Math.min(capacity, 4_096));
  }

  /** Bytes that were ever pushed. */
  get total(): number {
    return this.#total;
  }

  /** Offset of the first byte that is still kept. */
  get start(): number {
    return Math.max(0, this.#total - this.#capacity);
  }

  push(chunk: Uint8Array): void {
    if (this.#capacity === 0) {
      this.#total += chunk.length;
      return;
    }
    this.#grow(Math.min(this.#capacity, this.#total + chunk.length));
    const skipped = Math.max(0, chunk.length - this.#capacity);
    const kept = chunk.subarray(skipped);
    const at = (this.#total + skipped) % this.#capacity;
    const first = Math.min(kept.length, this.#room.length - at);
    this.#room.set(kept.subarray(0, first), at);
    this.#room.set(kept.subarray(first), 0);
    this.#total += chunk.length;
  }

  /** A copy of the bytes from an offset of the whole stream on, or from the first that is kept; at most `most` of them. */
  from(offset: number, most = Number.POSITIVE_INFINITY): Buffer {
    const begin = Math.min(Math.max(offset, this.start), this.#total);
    const length = Math.min(most, this.#total - begin);
    if (length === 0) return Buffer.alloc(0);
    const at = begin % this.#capacity;
    const first = this.#room.subarray(at, Math.min(at + length, this.#room.length));
    return Buffer.concat([first, this.#room.subarray(0, length - first.length)]);
  }

  #grow(needed: number): void {
    if (needed <= this.#room.length) return;
    const room = Buffer.alloc(Math.min(this.#capacity, Math.max(needed, this.#room.length * 2)));
    // Before it is full nothing has wrapped round, so the old bytes lie at the same place.
    this.#room.copy(room);
    this.#room = room;
  }
}

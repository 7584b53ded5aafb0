const newline = 10;

/** Longest line that is read, bytes. A model's whole answer is far below it. */
export const maxLineBytes = 8 * 1024 * 1024;

/**
 * Splits the bytes of a `text/event-stream` into the data of its events. Decodes a chunk's whole lines in one call, which
 * keeps characters whole that the network cut in two. Lines end with LF or CRLF; names, ids and comments are left out.
 * llama.cpp writes its errors as a field `error:`, which is read as data.
 */
export class SseSplitter {
  readonly #onData: (data: string) => void;
  readonly #maxLineBytes: number;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #data: string | null = null;
  #first = true;

  constructor(onData: (data: string) => void, maxBytes = maxLineBytes) {
    this.#onData = onData;
    this.#maxLineBytes = maxBytes;
  }

  /** Takes a chunk; false when a line is too long, after which nothing more may be pushed. */
  push(chunk: Buffer): boolean {
    const end = chunk.lastIndexOf(newline);
    if (end === -1) {
      this.#keep(chunk);
      return this.#restBytes <= this.#maxLineBytes;
    }
    let text: string;
    if (this.#rest.length === 0) text = chunk.toString("utf8", 0, end);
    else {
      this.#rest.push(chunk.subarray(0, end));
      text = Buffer.concat(this.#rest).toString("utf8");
      this.#rest = [];
      this.#restBytes = 0;
    }
    if (end + 1 < chunk.length) this.#keep(chunk.subarray(end + 1));
    this.#lines(text);
    return this.#restBytes <= this.#maxLineBytes;
  }

  /** The stream is over: hands out an event that has no empty line after it. */
  end(): void {
    if (this.#restBytes > 0) {
      const text = Buffer.concat(this.#rest).toString("utf8");
      this.#rest = [];
      this.#restBytes = 0;
      this.#lines(text);
    }
    this.#emit();
  }

  /** Copies: a piece of a chunk would keep the whole of the socket's read buffer alive. */
  #keep(bytes: Buffer): void {
    this.#rest.push(Buffer.from(bytes));
    this.#restBytes += bytes.length;
  }

  #lines(text: string): void {
    let start = 0;
    if (this.#first) {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) start = 1;
    }
    while (start <= text.length) {
      let stop = text.indexOf("\n", start);
      if (stop === -1) stop = text.length;
      const end = stop > start && text.charCodeAt(stop - 1) === 13 ? stop - 1 : stop;
      if (end === start) this.#emit();
      else this.#field(text, start, end);
      start = stop + 1;
    }
  }

  #field(text: string, start: number, end: number): void {
    let from = start;
    if (text.startsWith("data:", start)) from += 5;
    else if (text.startsWith("error:", start)) from += 6;
    else return;
    if (text.charCodeAt(from) === 32) from++;
    const value = text.slice(from, end);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }

  #emit(): void {
    const data = this.#data;
    if (data === null) return;
    this.#data = null;
    this.#onData(data);
  }
}

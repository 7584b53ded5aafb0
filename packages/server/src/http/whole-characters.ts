/** A piece of text, and where its bytes begin and end. They may be other bytes than those of the text: what is no UTF-8 is shown as \ufffd. */
export interface TextPiece {
  readonly offset: number;
  readonly next: number;
  readonly text: string;
}

/** Bytes that come in any pieces, as text that is cut between characters. */
export function wholeCharacters() {
  let held = Buffer.alloc(0);
  let start = 0;

  function* take(count: number): Generator<TextPiece> {
    if (count === 0) return;
    yield { offset: start, next: start + count, text: held.toString("utf8", 0, count) };
    held = held.subarray(count);
    start += count;
  }

  return {
    *add(offset: number, data: Uint8Array): Generator<TextPiece> {
      if (offset !== start + held.length) yield* take(held.length);
      if (held.length === 0) start = offset;
      held = held.length === 0 ? Buffer.from(data) : Buffer.concat([held, data]);
      yield* take(held.length - unfinished(held));
    },
    /** What is left when nothing comes any more. */
    rest: () => take(held.length),
  };
}

/** How many bytes at the end are the beginning of a character. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

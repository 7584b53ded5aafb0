// The wire between a sandbox's agent and its host, the same text on both sides: 4 bytes of length (of what follows, big
// endian), 1 byte of kind, and the payload. Every kind but `message` begins with 4 bytes that name a channel.

export const frameKinds = { message: 1, data: 2, eof: 3, credit: 4 } as const;
export const maxFrameBytes = 1024 * 1024;
/** Most bytes of one `data` frame; also what one read of a pipe gives at most. */
export const maxChunkBytes = 64 * 1024;
/** What may be on its way on one channel and was not credited yet. */
export const windowBytes = 256 * 1024;
/** Small chunks are charged as this much, so that a window is also a bound on the number of frames. */
const leastCharge = 1_024;

export interface Frame {
  readonly kind: number;
  /** A part of what was read, to be used at once. */
  readonly payload: Buffer;
}

/** What a chunk takes of the window. */
export function charge(bytes: number): number {
  return Math.max(bytes, leastCharge);
}

export function messageFrame(message: object): Buffer {
  const text = JSON.stringify(message);
  const length = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(5 + length);
  writeHeader(frame, frameKinds.message, length);
  frame.write(text, 5);
  return frame;
}

/** What stands before the bytes of a chunk. */
export function dataHeader(channel: number, bytes: number): Buffer {
  const header = Buffer.allocUnsafe(9);
  writeHeader(header, frameKinds.data, 4 + bytes);
  header.writeUInt32BE(channel, 5);
  return header;
}

export function eofFrame(channel: number): Buffer {
  const frame = Buffer.allocUnsafe(9);
  writeHeader(frame, frameKinds.eof, 4);
  frame.writeUInt32BE(channel, 5);
  return frame;
}

/** The receiver has done with so many charged bytes. */
export function creditFrame(channel: number, bytes: number): Buffer {
  const frame = Buffer.allocUnsafe(13);
  writeHeader(frame, frameKinds.credit, 8);
  frame.writeUInt32BE(channel, 5);
  frame.writeUInt32BE(bytes, 9);
  return frame;
}

function writeHeader(frame: Buffer, kind: number, payloadBytes: number): void {
  frame.writeUInt32BE(payloadBytes + 1, 0);
  frame[4] = kind;
}

/** Cuts a stream into frames, whatever its chunks; keeps at most one frame that is not complete. */
export class FrameReader {
  #parts: Buffer[] = [];
  #have = 0;
  #need = 4;

  /** The frames that this chunk completes. Throws a RangeError for a length that no frame has; nothing can be read after that. */
  push(chunk: Buffer): Frame[] {
    this.#parts.push(chunk);
    this.#have += chunk.length;
    const frames: Frame[] = [];
    if (this.#have < this.#need) return frames;
    let rest = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    for (this.#need = 4; rest.length >= 4; this.#need = 4) {
      const length = rest.readUInt32BE(0);
      if (length < 1 || length > maxFrameBytes) throw new RangeError(`a frame of ${length} bytes`);
      this.#need = 4 + length;
      if (rest.length < this.#need) break;
      frames.push({ kind: rest[4] ?? 0, payload: rest.subarray(5, this.#need) });
      rest = rest.subarray(this.#need);
    }
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#have = rest.length;
    return frames;
  }
}

import { wireLimits } from "./wire.ts";

/** One frame of a stream: 4 bytes with the length of the rest, 1 byte with its kind, then what it carries. */
export type Frame =
  | { readonly kind: "output"; readonly stream: number; readonly offset: number; readonly data: Buffer }
  /** JSON: how it ended, or why it could not go on. */
  | { readonly kind: "end" | "error"; readonly value: unknown }
  /** It has begun, or it goes on and has nothing to say. */
  | { readonly kind: "alive" };

const kinds = { output: 1, end: 2, error: 3, alive: 4 } as const;
/** Kind, number of the stream, offset. */
const outputHead = 10;
/** Data of one output frame as a host sends it: what is cut in a frame is sent again, so small ones get through worse networks. */
export const frameData = 16 * 1_024;

export function encodeOutput(stream: number, offset: number, data: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + outputHead + data.length);
  frame.writeUInt32BE(outputHead + data.length, 0);
  frame.writeUInt8(kinds.output, 4);
  frame.writeUInt8(stream, 5);
  frame.writeBigUInt64BE(BigInt(offset), 6);
  frame.set(data, 4 + outputHead);
  return frame;
}

export function encodeValue(kind: "end" | "error", value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const frame = Buffer.allocUnsafe(5 + json.length);
  frame.writeUInt32BE(1 + json.length, 0);
  frame.writeUInt8(kinds[kind], 4);
  frame.set(json, 5);
  return frame;
}

export const aliveFrame: Buffer = Buffer.from([0, 0, 0, 1, kinds.alive]);

/** A frame that breaks the rules: too long, of an unknown kind, or with something else in it than its kind has. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/**
 * Takes frames out of bytes that come in any pieces; a frame that is not whole when they end is left out. An end may be as long as an
 * answer (it holds a command's output), everything else as long as a frame. Throws FrameError.
 */
export async function* readFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pending: Buffer[] = [];
  let bytes = 0;
  let needed = 5;
  for await (const chunk of source) {
    pending.push(chunk);
    bytes += chunk.length;
    if (bytes < needed) continue;
    let rest = Buffer.concat(pending);
    for (needed = lengthOf(rest); rest.length >= needed; needed = lengthOf(rest)) {
      yield decode(rest.subarray(4, needed));
      rest = rest.subarray(needed);
    }
    pending = [rest];
    bytes = rest.length;
  }
}

/** Bytes of the frame at the front; 5, more than there are, until its head is known. */
function lengthOf(bytes: Buffer): number {
  if (bytes.length < 5) return 5;
  const length = bytes.readUInt32BE(0);
  const most = bytes.readUInt8(4) === kinds.end ? wireLimits.answer : wireLimits.frame;
  if (length < 1 || length > most) throw new FrameError(`A frame says that it has ${length} bytes.`);
  return 4 + length;
}

function decode(frame: Buffer): Frame {
  switch (frame.readUInt8(0)) {
    case kinds.output: {
      if (frame.length < outputHead) throw new FrameError("An output frame is too short.");
      const offset = Number(frame.readBigUInt64BE(2));
      if (!Number.isSafeInteger(offset)) throw new FrameError("An offset is too large.");
      return { kind: "output", stream: frame.readUInt8(1), offset, data: frame.subarray(outputHead) };
    }
    case kinds.end:
      return { kind: "end", value: parse(frame) };
    case kinds.error:
      return { kind: "error", value: parse(frame) };
    case kinds.alive:
      return { kind: "alive" };
    default:
      throw new FrameError("A frame is of a kind that there is not.");
  }
}

function parse(frame: Buffer): unknown {
  try {
    return JSON.parse(frame.toString("utf8", 1)) as unknown;
  } catch {
    throw new FrameError("A frame holds no JSON.");
  }
}

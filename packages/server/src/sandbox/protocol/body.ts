import { wireLimits } from "./wire.ts";

/**
 * A call's body: its arguments as one line of JSON, then, after a line feed, raw bytes if it has any. Paths stand in the JSON and
 * never in the address, where half a character or a NUL byte could not be written, and where they would be logged.
 */
export function encodeBody(args: unknown, tail?: Uint8Array): Buffer {
  const head = Buffer.from(`${JSON.stringify(args)}\n`);
  return tail === undefined ? head : Buffer.concat([head, tail]);
}

export interface Body {
  readonly args: unknown;
  readonly tail: Buffer;
}

/** Why a body was not taken: too long, or not written as it must be. */
export class BodyError extends Error {
  readonly reason: "too_large" | "malformed";

  constructor(reason: "too_large" | "malformed") {
    super(reason === "too_large" ? "The body is too large." : "The body is not a line of JSON.");
    this.name = "BodyError";
    this.reason = reason;
  }
}

/** Reads a body and gives up as soon as it is longer than it may be. Rejects with BodyError, or with what the stream fails with. */
export async function readBody(stream: AsyncIterable<Buffer>, maxTail: number): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let headLength = -1;
  for await (const chunk of stream) {
    if (headLength === -1) {
      const at = chunk.indexOf(0x0a);
      if (at !== -1) headLength = bytes + at;
    }
    bytes += chunk.length;
    const head = headLength === -1 ? bytes : headLength;
    if (head > wireLimits.head || bytes - head - 1 > maxTail) throw new BodyError("too_large");
    chunks.push(chunk);
  }
  if (headLength === -1) throw new BodyError("malformed");
  const whole = Buffer.concat(chunks);
  try {
    return {
      args: JSON.parse(whole.toString("utf8", 0, headLength)) as unknown,
      tail: whole.subarray(headLength + 1),
    };
  } catch {
    throw new BodyError("malformed");
  }
}

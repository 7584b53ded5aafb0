import { formatByteSize } from "../lib/byte-size.ts";
import { BerthError } from "../lib/errors.ts";
import { outgoingOf } from "./node-requests.ts";

/** How much a body may hold, and the setting that says so. */
export interface BodyLimit {
  readonly bytes: number;
  readonly setting: "bodyLimit" | "uploadLimit";
}

/** Bytes over the limit that are still read, so that a client that sends before it reads gets its answer and no reset. */
const discardBytes = 16 * 1_048_576;

/** The client went before its body was whole: there is nobody to answer. */
export class ClientGone extends Error {}

/**
 * All bytes of a body. Rejects with `body_too_large` before any byte is parsed when there are more than the limit: what is over
 * it is read and dropped up to 16 MiB. Rejects with ClientGone when the connection ends first.
 */
export async function readBody(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  try {
    return await read(request, limit);
  } catch (thrown) {
    if (!(thrown instanceof BerthError) && isGone(request)) {
      throw new ClientGone("The client went before its body was whole.", { cause: thrown });
    }
    throw thrown;
  }
}

async function read(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit.bytes + discardBytes) throw tooLarge(limit);
  // The HTTP parser holds a body to its declared length. `body` is not looked at before: under Node that alone makes a whole
  // request object with a stream.
  if (declared !== null && Number(declared) <= limit.bytes)
    return new Uint8Array(await request.arrayBuffer());
  const { body } = request;
  return body === null ? new Uint8Array(0) : collect(body, limit);
}

async function collect(body: ReadableStream<Uint8Array>, limit: BodyLimit): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    if (size > limit.bytes + discardBytes) break;
    if (size <= limit.bytes) pieces.push(piece);
    else pieces.length = 0;
  }
  if (size > limit.bytes) throw tooLarge(limit);
  return Buffer.concat(pieces, size);
}

function isGone(request: Request): boolean {
  const incoming = outgoingOf(request)?.req;
  return incoming !== undefined && incoming.destroyed && (!incoming.complete || incoming.errored !== null);
}

function tooLarge({ bytes, setting }: BodyLimit): BerthError {
  const text = `The body may have at most ${formatByteSize(bytes)}: send less, or raise the setting ${setting}.`;
  return new BerthError("body_too_large", text, { details: { limit: bytes, setting } });
}

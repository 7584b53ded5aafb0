import { BerthError } from "../lib/errors.ts";

/** All bytes of a body. Throws `body_too_large` as soon as there are more than the limit, before any of them is parsed. */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit);
  // The HTTP parser holds a body to its declared length. `body` is not looked at before: under Node that alone makes a whole
  // request object with a stream.
  if (declared !== null) return new Uint8Array(await request.arrayBuffer());
  const { body } = request;
  return body === null ? new Uint8Array(0) : collect(body, limit);
}

async function collect(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.byteLength;
    if (size > limit) throw tooLarge(limit);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, size);
}

function tooLarge(limit: number): BerthError {
  return new BerthError("body_too_large", `The body may have ${limit} bytes: send less.`, {
    details: { limit },
  });
}

import type { Telemetry } from "../telemetry/telemetry.ts";

interface Told {
  readonly telemetry: Telemetry;
  readonly requestId: string;
}

/** A body that is made as it is read. When making it fails, the connection is cut, so that nobody takes a part for the whole. */
export function streamBody<T extends string | Uint8Array>(
  pieces: AsyncIterable<T>,
  { telemetry, requestId }: Told,
): ReadableStream<Uint8Array> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of pieces) yield typeof piece === "string" ? Buffer.from(piece) : piece;
    } catch (error) {
      telemetry.unexpectedError({ where: "http.body", error, requestId });
      throw error;
    }
  }
  return ReadableStream.from(bytes());
}

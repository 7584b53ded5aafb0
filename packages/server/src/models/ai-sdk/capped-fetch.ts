import type { Dispatcher } from "undici";
import { maxLineBytes } from "../sse-splitter.ts";

export class LineTooLong extends Error {}

/**
 * `fetch` over the server's own connections to model providers, which gives up on a line that has no end and closes a
 * stream's last event, as the adapters of our own do.
 */
export function cappedFetch(dispatcher: Dispatcher): typeof globalThis.fetch {
  const capped = async (input: string | URL, init: object = {}) => {
    const { fetch: undiciFetch, Response: UndiciResponse } = await import("undici");
    const response = await undiciFetch(input, { ...init, dispatcher });
    if (
      response.body === null ||
      !(response.headers.get("content-type") ?? "").startsWith("text/event-stream")
    ) {
      return response;
    }
    const { status, statusText, headers } = response;
    return new UndiciResponse(response.body.pipeThrough(lineCap()), { status, statusText, headers });
  };
  return capped as unknown as typeof globalThis.fetch;
}

function lineCap(): TransformStream<Uint8Array, Uint8Array> {
  let sinceNewline = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const newline = chunk.lastIndexOf(10);
      sinceNewline = newline === -1 ? sinceNewline + chunk.length : chunk.length - newline - 1;
      if (sinceNewline > maxLineBytes) controller.error(new LineTooLong("a line has no end"));
      else controller.enqueue(chunk);
    },
    flush(controller) {
      controller.enqueue(Buffer.from("\n\n"));
    },
  });
}

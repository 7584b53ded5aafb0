import type { StreamEvent } from "@berth/contract";
import { createParser } from "eventsource-parser";
import { BerthConnectionError, errorOfResponse } from "./error.ts";
import type { Frame, OpenConnection } from "./event-frame.ts";
import type { Http, Query } from "./http.ts";
import { createWatchdog } from "./watchdog.ts";

export interface SseSource {
  readonly http: Http;
  readonly path: string;
  readonly query: Query;
  /** A connection that brings no byte for so long is given up, milliseconds. */
  readonly silenceMs: number;
}

/** Connections to an event stream over SSE. */
export function sseConnections(source: SseSource): OpenConnection {
  return (after, signal) => readConnection(source, after, signal);
}

async function* readConnection(
  source: SseSource,
  after: string | null,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  const { http } = source;
  const ended = new AbortController();
  const watchdog = createWatchdog(http.options.clock, source.silenceMs, (reason) => ended.abort(reason));
  const target = http.url(source.path, source.query);
  try {
    const response = await watchdog.during(
      http.options.fetch(target, {
        headers: {
          accept: "text/event-stream",
          ...(after !== null && { "last-event-id": after }),
          ...(await http.authorization()),
        },
        cache: "no-store",
        signal: AbortSignal.any([signal, ended.signal]),
      }),
    );
    if (response.status === 204) return yield { kind: "ended", code: "archived", message: "" };
    if (!response.ok) throw await errorOfResponse(response, http.options.clock.now());
    if (response.body === null) return;
    yield { kind: "open" };
    yield* readFrames(response.body.getReader(), (chunk) => watchdog.during(chunk));
  } catch (thrown) {
    throw asConnectionError(thrown, target, ended.signal);
  } finally {
    watchdog.stop();
    // Ends the socket of a stream that is left in its middle.
    ended.abort();
  }
}

interface EndReason {
  readonly code: string;
  readonly message: string;
}

type Chunk = Awaited<ReturnType<ReadableStreamDefaultReader<Uint8Array>["read"]>>;

/** The frames of a response's bytes. A frame that was cut before its blank line never comes out. */
async function* readFrames(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  awaited: (chunk: Promise<Chunk>) => Promise<Chunk>,
): AsyncGenerator<Frame> {
  const frames: Frame[] = [];
  const decoder = new TextDecoder();
  let dispatched: string | null = null;
  const parser = createParser({
    onId: (id) => void (dispatched = id),
    onRetry: (ms) => frames.push({ kind: "retry", ms }),
    onComment: () => frames.push({ kind: "alive" }),
    onEvent: ({ id, event, data }) => {
      if (event === "cursor") return;
      if (event === "end") return void frames.push({ kind: "ended", ...(JSON.parse(data) as EndReason) });
      frames.push({ kind: "event", cursor: id ?? null, event: JSON.parse(data) as StreamEvent });
      if (id !== undefined) dispatched = null;
    },
  });
  for (;;) {
    const { done, value } = await awaited(reader.read());
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    yield* frames.splice(0);
    if (dispatched !== null) yield { kind: "cursor", cursor: dispatched };
    dispatched = null;
  }
}

function asConnectionError(thrown: unknown, target: URL, ended: AbortSignal): unknown {
  if (thrown instanceof Error && thrown.name === "BerthApiError") return thrown;
  return new BerthConnectionError(target.origin, ended.aborted ? ended.reason : thrown);
}

import type { ServerResponse } from "node:http";
import type { Principal } from "../auth/principal.ts";
import { type Clock, pause } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { Following, FollowRequest } from "../operations/follow-events.ts";
import { shuttingDown } from "../operations/unless-stopping.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Beats } from "./beats.ts";
import { corsHeaders } from "./cors.ts";
import type { Edge } from "./edge.ts";
import { outgoingOf } from "./node-requests.ts";
import { peerOf } from "./peer.ts";
import { OpenStream } from "./open-stream.ts";
import { retryBytes } from "./sse-bytes.ts";
import type { EndedBy, Feeder, SseConnection } from "./sse-connection.ts";
import { NodeWire, WebWire } from "./sse-wire.ts";
import type { StreamSettings } from "./stream-settings.ts";
import type { StreamSlots } from "./stream-slots.ts";
import type { StreamWatch } from "./stream-watch.ts";

export interface EventStreamsOptions {
  readonly following: Following;
  readonly slots: StreamSlots;
  readonly beats: Beats;
  readonly clock: Clock;
  readonly settings: StreamSettings;
  readonly telemetry: Telemetry;
  readonly edge: Edge;
  readonly watch: Pick<StreamWatch, "add" | "remove">;
}

/** Who opens a stream, by what request. */
export interface StreamOpening {
  readonly request: Request;
  readonly requestId: string;
  readonly principal: Principal;
}

interface StreamRequest extends StreamOpening {
  readonly follow: FollowRequest;
}

/** A stream of something else than a session's log. */
export interface OutputRequest extends StreamOpening {
  /** Whether the caller, as it is now, may still have it: rejects with a refusal. */
  readonly allowed: (now: Principal) => Promise<unknown>;
  /** What it is told when the server stops; default: to connect again. */
  readonly stopped?: BerthError;
  /** Begins to write. What it returns is told when the client has taken all, and when it is gone. */
  readonly begin: (connection: SseConnection) => Feeder;
}

interface Source {
  readonly sessionId?: string;
  readonly allowed?: (now: Principal) => Promise<unknown>;
  readonly stopped?: BerthError;
  readonly begin: (connection: SseConnection) => Feeder;
}

/** The event streams (SSE) of this process. */
export interface EventStreams {
  /** 204 when nothing can come, else the stream. Rejects as `Following.open` does, with `too_many_streams` or `shutting_down`. */
  answer(request: StreamRequest): Promise<Response>;
  /** Rejects with `too_many_streams` or `shutting_down`, before `begin` is called. */
  output(request: OutputRequest): Promise<Response>;
  /** Ends every stream so that its client connects again elsewhere. Resolves when they are gone. */
  closeAll(): Promise<void>;
  readonly size: number;
}

/** Of the security headers those that matter to what is no page: each header costs 160 bytes for as long as a stream lasts. */
const eventStreamHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  "cache-control": "no-store, no-transform",
  "x-content-type-options": "nosniff",
  "x-accel-buffering": "no",
};

export function createEventStreams(options: EventStreamsOptions): EventStreams {
  const { following, slots, beats, settings, telemetry, edge, watch } = options;
  const open = new Set<OpenStream>();
  const beatAll = { beat: () => open.forEach((stream) => stream.beat()) };
  const retry = retryBytes(settings.retryMs);
  let closing = false;

  /** One function for all of them: each is only ever told of streams that were opened here. */
  function closed(by: EndedBy, stream: SseConnection): void {
    if (!(stream instanceof OpenStream)) return;
    const { principal, sessionId, requestId } = stream;
    open.delete(stream);
    if (open.size === 0) beats.remove(beatAll);
    slots.giveBack(stream);
    watch.remove(stream);
    telemetry.streamClosed({ transport: "sse", by, orgId: principal.orgId, sessionId, requestId });
  }

  /** Answers the request on the wire that it came by. */
  function start({ request, requestId, principal }: StreamOpening, source: Source): Response {
    const { orgId } = principal;
    const { sessionId } = source;
    const about = { ...source, principal, peer: peerOf(request), requestId };
    const connection = new OpenStream(about, settings, closed);
    watch.add(connection);
    if (open.size === 0) beats.add(beatAll);
    open.add(connection);
    telemetry.streamOpened({ transport: "sse", orgId, sessionId, requestId });
    const headers = {
      ...eventStreamHeaders,
      ...corsHeaders(edge.cors, request.headers.get("origin")),
      "x-request-id": requestId,
    };
    const outgoing = outgoingOf(request);
    const response =
      outgoing === null ? webResponse(connection, headers) : nodeResponse(connection, outgoing, headers);
    connection.write(retry);
    connection.follow(source.begin(connection));
    return response;
  }

  return {
    async answer(request) {
      if (closing) throw shuttingDown();
      const owner = { principal: request.principal, address: peerOf(request.request).address };
      slots.take(owner);
      let kept = false;
      try {
        const opened = await following.open(request.principal, request.follow);
        if (closing) throw shuttingDown();
        if (opened.kind === "nothing") return new Response(null, { status: 204 });
        if (request.request.method === "HEAD") return new Response(null, { headers: eventStreamHeaders });
        kept = true;
        const { sessionId } = request.follow;
        return start(request, { sessionId, begin: (connection) => opened.start(connection) });
      } finally {
        if (!kept) slots.giveBack(owner);
      }
    },

    async output(request) {
      if (closing) throw shuttingDown();
      slots.take({ principal: request.principal, address: peerOf(request.request).address });
      return start(request, request);
    },

    async closeAll() {
      closing = true;
      await closeStreams(open, options);
    },

    get size() {
      return open.size;
    },
  };
}

async function closeStreams(
  open: ReadonlySet<OpenStream>,
  { clock, settings }: Pick<EventStreamsOptions, "clock" | "settings">,
): Promise<void> {
  for (const connection of open) connection.leave();
  const deadline = clock.monotonic() + settings.closeMs;
  while (open.size > 0 && clock.monotonic() < deadline) await pause(clock, 10);
  for (const connection of open) connection.cut("server");
}

function nodeResponse(
  connection: SseConnection,
  outgoing: ServerResponse,
  headers: Readonly<Record<string, string>>,
): Response {
  // Whoever listens for the end of the request keeps all of it in memory, for as long as the stream lasts.
  outgoing.removeAllListeners("close");
  // A stream has its own way to tell who takes nothing.
  outgoing.socket?.setTimeout(0);
  outgoing.writeHead(200, headers);
  joinHead(outgoing);
  connection.connect(new NodeWire(outgoing, () => connection.gone()));
  // Tells the adapter that the response is being written already. It looks at the header of a native response only: a clone is one.
  return new Response(null, { headers: { "x-hono-already-sent": "true" } }).clone();
}

function webResponse(connection: SseConnection, headers: Readonly<Record<string, string>>): Response {
  const wire = new WebWire(() => connection.gone());
  connection.connect(wire);
  return new Response(wire.body, { headers });
}

/**
 * Node puts a response's head together of 32 pieces and keeps them for as long as it lasts, 1,025 bytes. Looking at a character of it makes
 * V8 join them: 320. Without this field of Node's nothing happens.
 */
function joinHead(outgoing: ServerResponse & { readonly _header?: string | null }): void {
  outgoing._header?.charCodeAt(0);
}

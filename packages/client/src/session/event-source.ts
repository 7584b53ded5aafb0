import { channelOf, type Channel } from "@berth/contract";
import type { FollowedEvent } from "../event-frame.ts";
import { follow, type FollowState } from "../follow.ts";
import type { Http } from "../http.ts";
import { sessionPath } from "../resources/sessions.ts";
import { socketConnections } from "../socket-frames.ts";
import { sseConnections } from "../sse.ts";

export interface EventsOptions {
  /** Cursor after which to begin (`event.cursor`); default: from the first event. */
  readonly after?: string | null;
  readonly types?: readonly FollowedEvent["type"][];
  readonly channel?: Channel;
  /** Only this sub-agent's; an empty text is the session's own agent. */
  readonly namespace?: string;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
  /** Default: sse. */
  readonly transport?: "sse" | "websocket";
  readonly onState?: (state: FollowState) => void;
}

export interface Connector {
  readonly http: Http;
  readonly WebSocket: typeof globalThis.WebSocket | undefined;
  /** Milliseconds without a byte after which a connection is given up. The server sends something every 10 s. */
  readonly silenceMs: number;
}

/** Every event of a session after a cursor, each once and in order, whatever happens to the connection. */
export function sessionEvents(
  connector: Connector,
  id: string,
  options: EventsOptions,
): AsyncGenerator<FollowedEvent> {
  const { http } = connector;
  const shared = {
    clock: http.options.clock,
    random: http.options.random,
    backoff: http.options.backoff,
    after: options.after ?? null,
    signal: options.signal ?? new AbortController().signal,
    ...(options.onState !== undefined && { onState: options.onState }),
  };
  if (options.transport === "websocket") {
    const { WebSocket } = connector;
    if (WebSocket === undefined) throw new Error("There is no WebSocket here: give createClient one.");
    const open = socketConnections({ http, WebSocket, silenceMs: connector.silenceMs }, id);
    return filtered(follow({ ...shared, open, complete: true }), options);
  }
  const { types, channel, namespace } = options;
  const query = { types, channel, namespace };
  const complete = types === undefined && channel === undefined && namespace === undefined;
  const path = sessionPath(id, "/events/stream");
  const open = sseConnections({ http, path, query, silenceMs: connector.silenceMs });
  return follow({ ...shared, open, complete });
}

/** WebSockets carry everything; what is not wanted is left out here. */
async function* filtered(
  events: AsyncIterable<FollowedEvent>,
  wanted: EventsOptions,
): AsyncGenerator<FollowedEvent> {
  const types = wanted.types === undefined ? null : new Set<string>(wanted.types);
  for await (const event of events) {
    if (types !== null && !types.has(event.type)) continue;
    if (wanted.channel !== undefined && channelOf(event.type) !== wanted.channel) continue;
    if (wanted.namespace !== undefined && event.namespace !== wanted.namespace) continue;
    yield event;
  }
}

import type { Authenticator } from "../auth/authenticator.ts";
import type { Tickets } from "../auth/tickets.ts";
import type { OperationsContext } from "../operations/context.ts";
import {
  createFollowing,
  defaultFollowingSettings,
  type FollowingSettings,
} from "../operations/follow-events.ts";
import { createBeats } from "./beats.ts";
import { createEdge, type Edge } from "./edge.ts";
import { createEventStreams, type EventStreams } from "./sse.ts";
import { createPreviews, type Previews } from "./previews/previews.ts";
import { createStreamSlots } from "./stream-slots.ts";
import { createStreamWatch } from "./stream-watch.ts";
import { defaultStreamSettings, type StreamSettings } from "./stream-settings.ts";
import { createSockets, type Sockets } from "./websocket.ts";

export type { StreamSettings };

/** Everything that clients hold open: event streams and WebSockets, counted together. */
export interface Streams {
  readonly events: EventStreams;
  readonly sockets: Sockets;
  readonly previews: Previews;
  /** Ends all of them so that clients connect again; new ones are refused. Resolves when they are gone. */
  closeAll(): Promise<void>;
}

export function createStreams(options: {
  readonly operations: OperationsContext;
  readonly authenticator: Authenticator;
  readonly tickets: Tickets;
  /** Nested arrays and objects of a WebSocket's frame. */
  readonly jsonDepth: number;
  /** Default: everything passes. */
  readonly edge?: Edge;
  readonly settings?: Partial<StreamSettings & FollowingSettings>;
}): Streams {
  const { operations, authenticator, tickets, jsonDepth, edge = createEdge() } = options;
  const { clock, telemetry } = operations;
  const settings = { ...defaultFollowingSettings, ...defaultStreamSettings, ...options.settings };
  const following = createFollowing(operations, settings);
  const watch = createStreamWatch({ authenticator, operations, edge });
  const shared = {
    following,
    slots: createStreamSlots(settings),
    edge,
    watch,
    beats: createBeats(clock),
    clock,
    settings,
    telemetry,
  };
  const events = createEventStreams(shared);
  const sockets = createSockets({ ...shared, operations, authenticator, tickets, jsonDepth });
  const previews = createPreviews({ operations, authenticator, edge, watch });
  return {
    events,
    sockets,
    previews,
    async closeAll() {
      previews.close();
      await Promise.all([events.closeAll(), sockets.closeAll()]);
      await watch.stop();
    },
  };
}

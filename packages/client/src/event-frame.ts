import type { LiveEvent, SessionEvent, StreamEvent } from "@berth/contract";

/** An event as a follower sees it: entries of the log carry the cursor to go on from, live ones have none. */
export type FollowedEvent =
  | (SessionEvent & { readonly cursor: string })
  | (LiveEvent & { readonly cursor?: undefined });

/** What a connection delivers, whatever carries it. */
export type Frame =
  | { readonly kind: "event"; readonly cursor: string | null; readonly event: StreamEvent }
  /** The position moved on over events that the filter left out. */
  | { readonly kind: "cursor"; readonly cursor: string }
  /** The server took the connection. */
  | { readonly kind: "open" }
  /** The connection lives. */
  | { readonly kind: "alive" }
  /** The server asks to wait this long before a reconnect. */
  | { readonly kind: "retry"; readonly ms: number }
  /** The server ends the stream and says why; `archived`: nothing will ever come after this. */
  | { readonly kind: "ended"; readonly code: string; readonly message: string };

/**
 * Opens one connection after a cursor (null: from the beginning) and yields its frames until it is cut. Rejects with
 * BerthApiError when the server refuses. Ends its socket when it is left or the signal aborts.
 */
export type OpenConnection = (after: string | null, signal: AbortSignal) => AsyncIterable<Frame>;

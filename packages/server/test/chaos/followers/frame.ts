import type { StreamEvent } from "@berth/contract";
import type { Door } from "../../support/server/api.ts";

/** What a connection to a session's events brings. */
export type Frame =
  | { readonly kind: "event"; readonly cursor: string | null; readonly event: StreamEvent }
  /** The server has nothing more for now: the session is archived. */
  | { readonly kind: "archived" };

/** The server refuses to be followed from this cursor. */
export class FollowRefusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.name = "FollowRefusal";
    this.code = code;
  }
}

export interface Following {
  readonly sessionId: string;
  /** Null: from the first event. */
  readonly after: string | null;
  readonly signal: AbortSignal;
}

/** One connection, until it breaks or is ended. Rejects with a FollowRefusal, or with whatever broke it. */
export type OpenFollow = (door: Door, following: Following) => AsyncGenerator<Frame>;

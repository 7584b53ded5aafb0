import type { Actor, InputBody } from "@berth/contract";

/** An input that somebody is about to put into a session's mailbox. */
export interface AnnouncedInput {
  readonly id: string;
  readonly orgId: string;
  readonly sessionId: string;
  readonly lane: "steer" | "queue";
  readonly body: InputBody;
  readonly runId: string | null;
  readonly actor: Actor;
  readonly traceparent: string | null;
}

/**
 * Tells a worker of this process of an input while it is being committed, so that a session at rest can take it in the same transaction. A
 * hint: it may be lost, doubled or late, and the input may never be accepted. The store decides, and a wake-up follows as always.
 */
export interface Announcements {
  /** At once, and only where the worker is in this process. Never throws. */
  tell(workerId: string, input: AnnouncedInput): void;
  /** Calls for each until the returned function is called. `call` must not throw. */
  listen(workerId: string, call: (input: AnnouncedInput) => void): () => void;
}

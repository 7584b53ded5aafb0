import { BerthError } from "../lib/errors.ts";
import type { Store } from "../store/store.ts";
import type { Held } from "./context.ts";

/**
 * Whether the store still counts a session as held under this epoch. Who only sits idle on one does not learn otherwise that it was
 * claimed by another worker or deleted.
 */
export async function isHeldStill(store: Store, { orgId, sessionId, epoch }: Held): Promise<boolean> {
  const record = await store.session(orgId, sessionId).find();
  return record !== null && record.holder !== null && record.epoch === epoch;
}

/** Another holder wrote, or this one lost track: in both cases its picture of the session is not to be trusted. */
export function fenced(why: string): BerthError {
  return new BerthError("fenced", `The session is not this worker's any more (${why}).`, {
    retryable: true,
  });
}

import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";

/** How many streams each principal has open. */
export interface StreamSlots {
  /** Throws `too_many_streams`. Who took a slot gives it back once. */
  take(principal: Principal): void;
  giveBack(principal: Principal): void;
}

export function createStreamSlots(max: number): StreamSlots {
  const taken = new Map<string, number>();
  const keyOf = ({ orgId, type, id }: Principal) => `${orgId}/${type}/${id}`;
  return {
    take(principal) {
      const key = keyOf(principal);
      const open = taken.get(key) ?? 0;
      if (open >= max) {
        throw new BerthError(
          "too_many_streams",
          `You have ${open} streams open, which is all you may: close one, or follow several sessions over one WebSocket at /api/v1/ws.`,
          { retryable: true },
        );
      }
      taken.set(key, open + 1);
    },
    giveBack(principal) {
      const key = keyOf(principal);
      const open = taken.get(key) ?? 0;
      if (open > 1) taken.set(key, open - 1);
      else taken.delete(key);
    },
  };
}

import type { Principal } from "../auth/principal.ts";
import { addressGroup, isLoopback } from "../lib/addresses.ts";
import { BerthError } from "../lib/errors.ts";
import type { StreamSettings } from "./stream-settings.ts";

/** Whose stream it is, and from which address. */
export interface StreamOwner {
  readonly principal: Principal;
  readonly address: string;
}

/** How many streams are open, by principal, organization and address. */
export interface StreamSlots {
  /** Throws `too_many_streams`. Who took a slot gives it back once. */
  take(owner: StreamOwner): void;
  giveBack(owner: StreamOwner): void;
}

type Limits = Pick<StreamSettings, "maxStreams" | "maxStreamsPerOrg" | "maxStreamsPerAddress">;

/** Connections of this machine itself are not counted by address: they may be those of a proxy that nobody named. */
export function createStreamSlots(limits: Limits): StreamSlots {
  const taken = new Map<string, number>();
  return {
    take(owner) {
      const [own, org, from] = keysOf(owner);
      refuseFull(taken.get(own), limits.maxStreams, "You have");
      refuseFull(taken.get(org), limits.maxStreamsPerOrg, "Your organization has");
      if (from !== null) refuseFull(taken.get(from), limits.maxStreamsPerAddress, "Your address has");
      for (const key of [own, org, from]) if (key !== null) taken.set(key, (taken.get(key) ?? 0) + 1);
    },
    giveBack(owner) {
      for (const key of keysOf(owner)) {
        if (key === null) continue;
        const left = (taken.get(key) ?? 1) - 1;
        if (left > 0) taken.set(key, left);
        else taken.delete(key);
      }
    },
  };
}

function keysOf({
  principal,
  address,
}: StreamOwner): readonly [own: string, org: string, from: string | null] {
  const { orgId, type, id } = principal;
  return [`${orgId}/${type}/${id}`, orgId, isLoopback(address) ? null : addressGroup(address)];
}

function refuseFull(open: number | undefined, max: number, whose: string): void {
  if (open === undefined || open < max) return;
  throw new BerthError(
    "too_many_streams",
    `${whose} ${open} streams open, which is all that is allowed: close one, or follow several sessions over one WebSocket at /api/v1/ws.`,
    { retryable: true },
  );
}

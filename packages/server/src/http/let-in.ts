import type { Peer } from "../auth/peer.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { Allowance, RateClass } from "../limits/rate-limits.ts";
import type { Edge } from "./edge.ts";

export interface LettingIn {
  readonly peer: Peer;
  /** Null: it is not counted. */
  readonly kind: RateClass | null;
  /** Who sends it; null: it is for everybody. */
  readonly identify: (() => Promise<Principal>) | null;
  /** Told of each limit that was taken from, the closest last. */
  readonly onAllowance?: (allowance: Allowance) => void;
  /** Told who it is, also when it is refused then. */
  readonly onPrincipal?: (principal: Principal) => void;
}

/**
 * Lets a request or a WebSocket in: its address has something left, its credential is good, and who it is may call from there and
 * has something left. Rejects with `rate_limited`, `address_not_allowed` and what `identify` rejects with.
 */
export async function letIn({ admission }: Edge, entering: LettingIn): Promise<Principal | null> {
  const { peer, kind, identify, onAllowance, onPrincipal } = entering;
  const arrival = kind === null ? null : await admission.arrive(peer, kind);
  if (arrival !== null) onAllowance?.(arrival);
  if (identify === null) return null;
  const principal = await identify().catch(async (thrown: unknown) => {
    if (isWrongCredential(thrown)) await admission.turnAway(peer);
    throw thrown;
  });
  onPrincipal?.(principal);
  const allowance = await admission.admit(principal, peer, kind ?? "read");
  if (allowance !== null) onAllowance?.(allowance);
  return principal;
}

function isWrongCredential(thrown: unknown): boolean {
  return (
    thrown instanceof BerthError && (thrown.code === "unauthenticated" || thrown.code === "invalid_ticket")
  );
}

import type { Peer } from "../auth/peer.ts";
import type { Principal } from "../auth/principal.ts";
import type { AddressSet } from "../lib/addresses.ts";
import { BerthError } from "../lib/errors.ts";
import type { AllOrgRules } from "./org-rules.ts";
import type { Allowance, RateClass, RateLimits } from "./rate-limits.ts";

/** Who may ask from where, and how often. */
export interface Admission {
  /** Before it is known who asks. Null when nothing is counted. Rejects with `rate_limited`. */
  arrive(peer: Peer, kind: RateClass): Promise<Allowance | null>;
  /** The request's credential opens nothing. Never rejects. */
  turnAway(peer: Peer): Promise<void>;
  /** Whose request it is. Rejects with `address_not_allowed` or `rate_limited`. */
  admit(principal: Principal, peer: Peer, kind: RateClass): Promise<Allowance | null>;
  /** Rejects with `address_not_allowed`: also for what was let in before, such as a stream. */
  checkAddress(principal: Principal, peer: Peer): Promise<void>;
}

export interface AdmissionOptions {
  readonly rules: Pick<AllOrgRules, "of">;
  /** Null: nothing is counted. */
  readonly rates: RateLimits | null;
  /** Addresses that are not counted. */
  readonly uncounted: AddressSet;
  /** From where the admin key is taken; empty: from anywhere. */
  readonly adminAllow: AddressSet;
}

/**
 * The operator's admin key is held to the server's own list of addresses and not to an organization's, so that a list that keeps
 * everybody out can be mended. It is not counted.
 */
export function createAdmission({ rules, rates, uncounted, adminAllow }: AdmissionOptions): Admission {
  const isOperator = ({ credential }: Principal) => credential.kind === "admin_key";

  async function rulesFor(principal: Principal, { address }: Peer): Promise<{ readonly rateFactor: number }> {
    if (isOperator(principal)) {
      if (!adminAllow.isEmpty && !adminAllow.has(address)) throw notFromHere("the admin key", address);
      return { rateFactor: 1 };
    }
    const found = rules.of(principal.orgId);
    const { ipAllow, rateFactor } = found instanceof Promise ? await found : found;
    if (ipAllow !== null && !ipAllow.has(address)) throw notFromHere("this organization", address);
    return { rateFactor };
  }

  return {
    async arrive({ address }, kind) {
      return rates === null || uncounted.has(address) ? null : rates.takeForAddress(address, kind);
    },
    async turnAway({ address }) {
      if (rates !== null && !uncounted.has(address)) await rates.punishAddress(address);
    },
    async admit(principal, peer, kind) {
      const { rateFactor } = await rulesFor(principal, peer);
      return rates === null || isOperator(principal)
        ? null
        : rates.takeForPrincipal(principal, kind, rateFactor);
    },
    async checkAddress(principal, peer) {
      await rulesFor(principal, peer);
    },
  };
}

function notFromHere(what: string, address: string): BerthError {
  return new BerthError(
    "address_not_allowed",
    `Requests from ${address} may not use ${what}: ask its administrator to allow the address.`,
    { details: { address } },
  );
}

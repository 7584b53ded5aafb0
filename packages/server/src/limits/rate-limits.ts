import type { Principal } from "../auth/principal.ts";
import type { Counter } from "../coordination/counter.ts";
import { addressGroup } from "../lib/addresses.ts";
import { BerthError } from "../lib/errors.ts";

/** What a request costs: looking, changing, much work, or a try at somebody's password. */
export type RateClass = "read" | "write" | "heavy" | "login";

/** So many in so many milliseconds. */
interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** The first four are for one key or login; `login` is for one address. The factors say how many times that the others may ask. */
export interface RateSettings extends Readonly<Record<RateClass, Rate>> {
  readonly principalFactor: number;
  readonly orgFactor: number;
  readonly addressFactor: number;
}

/** What is left of the limit that a request came closest to. */
export interface Allowance {
  /** Its name: `read`, `read-principal`, `read-org`, `address`, `login`. */
  readonly policy: string;
  readonly capacity: number;
  readonly perMs: number;
  readonly remaining: number;
}

/** Every method rejects with `rate_limited`. */
export interface RateLimits {
  /** A request from an address, before it is known who asks. */
  takeForAddress(address: string, kind: RateClass): Promise<Allowance>;
  /** A request of a principal with its credential; `factor` is the organization's own. */
  takeForPrincipal(principal: Principal, kind: RateClass, factor: number): Promise<Allowance>;
  /** An address has sent a credential that opens nothing: that costs more, and never rejects. */
  punishAddress(address: string): Promise<void>;
}

/** In ordinary requests from the same address. */
const wrongCredentialCost = 20;

interface Bucket {
  readonly policy: string;
  readonly key: string;
  readonly count: number;
  readonly perMs: number;
}

/** The keys and limits of each class for one principal. They are worked out once while a principal is remembered. */
type Buckets = Readonly<Record<RateClass, readonly Bucket[]>>;

/**
 * Token buckets that all processes share by the counter: each holds what its rate allows and refills evenly. A key cannot use up
 * what its principal's other keys have, nor a principal its organization's.
 */
export function createRateLimits({
  counter,
  settings,
}: {
  readonly counter: Counter;
  readonly settings: RateSettings;
}): RateLimits {
  const known = new WeakMap<Principal, Buckets>();
  const addressRate = { count: settings.read.count * settings.addressFactor, perMs: settings.read.perMs };

  async function take(bucket: Bucket, tokens: number): Promise<Allowance> {
    const { policy, key, count: capacity, perMs } = bucket;
    const { ok, remaining, retryAfterMs } = await counter.takeTokens(key, { tokens, capacity, perMs });
    const allowance = { policy, capacity, perMs, remaining };
    if (ok) return allowance;
    throw rateLimited(allowance, retryAfterMs);
  }

  function addressBucket(address: string): Bucket {
    return { policy: "address", key: `rate:address:${addressGroup(address)}`, ...addressRate };
  }

  function bucketsOf(principal: Principal, kind: RateClass): readonly Bucket[] {
    let buckets = known.get(principal);
    if (buckets === undefined) known.set(principal, (buckets = principalBuckets(principal, settings)));
    return buckets[kind];
  }

  return {
    takeForAddress(address, kind) {
      if (kind !== "login") return take(addressBucket(address), 1);
      return take({ policy: "login", key: `rate:login:${addressGroup(address)}`, ...settings.login }, 1);
    },

    async takeForPrincipal(principal, kind, factor) {
      const [first, ...wider] = bucketsOf(principal, kind);
      if (first === undefined) throw new Error("there is a bucket for every class");
      let closest = await take(scaled(first, factor), 1);
      for (const bucket of wider) {
        const allowance = await take(scaled(bucket, factor), 1);
        if (allowance.remaining < closest.remaining) closest = allowance;
      }
      return closest;
    },

    async punishAddress(address) {
      const { key, count: capacity, perMs } = addressBucket(address);
      const tokens = Math.min(wrongCredentialCost - 1, capacity);
      const { ok, remaining } = await counter.takeTokens(key, { tokens, capacity, perMs });
      if (!ok && remaining > 0) await counter.takeTokens(key, { tokens: remaining, capacity, perMs });
    },
  };
}

function principalBuckets(principal: Principal, settings: RateSettings): Buckets {
  const { orgId, type, id, credential } = principal;
  const of = (kind: RateClass): readonly Bucket[] => {
    const { count, perMs } = settings[kind];
    const { principalFactor, orgFactor } = settings;
    return [
      { policy: kind, key: `rate:key:${orgId}/${credential.kind}/${credential.id}:${kind}`, count, perMs },
      {
        policy: `${kind}-principal`,
        key: `rate:principal:${orgId}/${type}/${id}:${kind}`,
        count: count * principalFactor,
        perMs,
      },
      { policy: `${kind}-org`, key: `rate:org:${orgId}:${kind}`, count: count * orgFactor, perMs },
    ];
  };
  return { read: of("read"), write: of("write"), heavy: of("heavy"), login: of("login") };
}

function scaled(bucket: Bucket, factor: number): Bucket {
  if (factor === 1) return bucket;
  return { ...bucket, count: Math.max(1, Math.round(bucket.count * factor)) };
}

function rateLimited(allowance: Allowance, retryAfterMs: number): BerthError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const { policy, capacity, perMs } = allowance;
  const what = `more than ${capacity} requests in ${perMs / 1_000} s`;
  return new BerthError(
    "rate_limited",
    `That were ${what}, which is all that the limit ${policy} allows: try again in ${seconds} s.`,
    { retryable: true, details: { ...allowance, retryAfterMs: seconds * 1_000 } },
  );
}

/** The limit that refused a request; null when something else did. */
export function allowanceOf(thrown: unknown): Allowance | null {
  if (!(thrown instanceof BerthError) || thrown.code !== "rate_limited") return null;
  const { policy, capacity, perMs, remaining } = thrown.details;
  if (typeof policy !== "string" || typeof capacity !== "number") return null;
  return { policy, capacity, perMs: Number(perMs), remaining: Number(remaining) };
}

import { randomBytes } from "node:crypto";
import { decodeJwt, SignJWT } from "jose";
import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { Verb } from "../protocol/call.ts";
import type { TokenKey } from "../protocol/keys.ts";
import { audienceOf, tokenIssuer, tokenType } from "../protocol/token.ts";

/** What a token is to allow. */
export interface TokenWish {
  /** Name of the host. */
  readonly host: string;
  readonly deployment: string;
  /** Id of the sandbox or workspace, `*` for the host itself. */
  readonly on: string;
  readonly verb: Verb;
}

export type GetJwtToken = (wish: TokenWish & { readonly audience: string }) => Promise<string>;

export interface Tokens {
  /** `fresh`: one that was never used. Else one may serve many calls, until shortly before it ends. */
  get(wish: TokenWish, options: { readonly fresh: boolean }): Promise<string>;
  /** Gives the next call another one. */
  forget(wish: TokenWish): void;
}

/** A token that has less left is not used any more, milliseconds. */
const spareMs = 20_000;
const mostCached = 5_000;

/** `lifeMs`: how long tokens are valid that `key` signs. */
export function createTokens(options: {
  readonly source: GetJwtToken | TokenKey;
  readonly clock: Clock;
  readonly lifeMs: number;
}): Tokens {
  const { source, clock, lifeMs } = options;
  const make: GetJwtToken = typeof source === "function" ? source : signWith(source, clock, lifeMs);
  const cached = new Map<string, { readonly token: string; readonly endsAt: number }>();
  const keyOf = ({ host, deployment, on, verb }: TokenWish) => `${host} ${deployment} ${on} ${verb}`;

  return {
    async get(wish, { fresh }) {
      const key = keyOf(wish);
      const known = cached.get(key);
      if (!fresh && known !== undefined && known.endsAt > clock.now()) return known.token;
      const token = await make({ ...wish, audience: audienceOf(wish.host) });
      if (fresh) return token;
      cached.delete(key);
      const [oldest] = cached.keys();
      if (cached.size >= mostCached && oldest !== undefined) cached.delete(oldest);
      cached.set(key, { token, endsAt: expiryOf(token) - spareMs });
      return token;
    },
    forget: (wish) => void cached.delete(keyOf(wish)),
  };
}

function signWith({ key, algorithm, id }: TokenKey, clock: Clock, lifeMs: number): GetJwtToken {
  return async ({ deployment, on, verb, audience }) => {
    const now = Math.floor(clock.now() / 1_000);
    return await new SignJWT({ on, verbs: [verb] })
      .setProtectedHeader({ alg: algorithm, kid: id, typ: tokenType })
      .setIssuer(tokenIssuer)
      .setAudience(audience)
      .setSubject(deployment)
      .setJti(randomBytes(16).toString("hex"))
      .setIssuedAt(now)
      .setExpirationTime(now + Math.ceil(lifeMs / 1_000))
      .sign(key);
  };
}

function expiryOf(token: string): number {
  try {
    return (decodeJwt(token).exp ?? 0) * 1_000;
  } catch {
    throw new BerthError("sandbox_unavailable", "What getJwtToken gave is no token.");
  }
}

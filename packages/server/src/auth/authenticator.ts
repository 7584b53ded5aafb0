import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { RequestMethod, Token, TokenMethod } from "./method.ts";
import type { Presented } from "./presented.ts";
import type { Principal } from "./principal.ts";
import { invalidCredential, unauthenticated } from "./unauthenticated.ts";

export interface Authenticator {
  /** Who sends this. Rejects with `unauthenticated`, `org_not_found` or `csrf_failed`. */
  authenticate(presented: Presented): Promise<Principal>;
  /** Who a principal is now; null when its credential has expired, was revoked, or opens nothing any more. */
  recheck(principal: Principal): Promise<Principal | null>;
}

/** The methods that are on, in the order in which they are tried. */
export interface Methods {
  readonly tokens: readonly TokenMethod[];
  readonly requests: readonly RequestMethod[];
  /** What every request of a connection has, so that it counts only when nothing else is offered: a client certificate. */
  readonly fallback: RequestMethod | null;
}

/** No key or token is longer; what is, is not looked at. */
const longestToken = 8_192;

/** Tries what a request offers. Two credentials would leave open who is meant, so they are refused, though both be good. */
export function createAuthenticator({
  methods,
  clock,
}: {
  readonly methods: Methods;
  readonly clock: Pick<Clock, "now">;
}): Authenticator {
  const { tokens, requests, fallback } = methods;
  const byKind = new Map(
    [...tokens, ...requests, ...(fallback === null ? [] : [fallback])].map((method) => [method.kind, method]),
  );
  const hasExpired = ({ credential }: Principal) =>
    credential.expiresAt !== null && credential.expiresAt <= clock.now();

  async function byToken(text: string, presented: Presented): Promise<Principal | null> {
    if (text.length > longestToken) return null;
    const token: Token = { text, digest: createHash("sha256").update(text).digest() };
    for (const method of tokens) {
      if (!method.takes(text)) continue;
      const found = await method.authenticate(token, presented);
      if (found !== null) return found;
    }
    return null;
  }

  return {
    async authenticate(presented) {
      const offered = requests.filter((method) => method.isOffered(presented));
      const isSigned = offered.some(({ kind }) => kind === "signature");
      const token = tokenOf(presented, isSigned);
      if (offered.length + (token === null ? 0 : 1) > 1) {
        throw unauthenticated("this request has two credentials");
      }
      const [method = fallback?.isOffered(presented) === true ? fallback : null] = offered;
      if (token === null && method === null) throw unauthenticated("this request has no credentials");
      const found =
        token === null ? ((await method?.authenticate(presented)) ?? null) : await byToken(token, presented);
      if (found === null) throw invalidCredential();
      if (hasExpired(found)) throw invalidCredential(found);
      return found;
    },

    async recheck(principal) {
      if (hasExpired(principal)) return null;
      return (await byKind.get(principal.credential.kind)?.recheck(principal)) ?? null;
    },
  };
}

/** The key or token of the headers; null when there is none. A header that came twice holds a comma, which no token has. */
function tokenOf(presented: Presented, isSigned: boolean): string | null {
  // A signature is its own method's.
  const authorization = isSigned ? null : presented.header("authorization");
  const apiKey = presented.header("x-api-key");
  if (authorization !== null && apiKey !== null) throw unauthenticated("this request has two credentials");
  if (authorization === null) return apiKey;
  const token = /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1];
  if (token === undefined) throw unauthenticated("this Authorization header is not understood");
  return token;
}

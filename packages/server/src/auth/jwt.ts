import { decodeJwt, errors, jwtVerify, type JWTPayload } from "jose";
import type { Clock } from "../lib/clock.ts";
import { BerthError } from "../lib/errors.ts";
import type { JwtAlgorithm } from "../lib/jwt-algorithms.ts";
import { createKeySource, type KeySource } from "./jwks.ts";

/** An issuer of tokens, and which of its tokens are for us. */
export interface JwtIssuer {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly jwksUri: string | null;
  readonly algorithms: readonly JwtAlgorithm[];
  /** Some identity providers write no `nbf`: then its absence may be allowed. When it is there it counts. */
  readonly requireNbf: boolean;
  /** How far clocks may be apart, milliseconds. */
  readonly clockToleranceMs: number;
  readonly jwksCooldownMs: number;
  readonly jwksMaxAgeMs: number;
}

export interface JwtVerifier<T extends JwtIssuer> {
  /** Its claims and whose they are; null when the token is not good. Rejects with `identity_provider_unavailable`. */
  verify(token: string): Promise<{ readonly issuer: T; readonly claims: JWTPayload } | null>;
  stop(): void;
}

const longestSubject = 255;

/** What makes a text look like a signed token. */
const shape = /^[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*$/;

export function looksLikeJwt(token: string): boolean {
  return shape.test(token);
}

export function createJwtVerifier<T extends JwtIssuer>(options: {
  readonly issuers: readonly T[];
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  readonly report: (error: unknown) => void;
  /** Is told why a token of a known issuer was not taken; whoever sent it is not. */
  readonly refused?: (issuer: string, why: string) => void;
}): JwtVerifier<T> {
  const { issuers, clock, fetch, report, refused = () => {} } = options;
  const known = new Map(
    issuers.map((issuer): [string, { issuer: T; keys: KeySource }] => {
      const { jwksUri, jwksCooldownMs: cooldownMs, jwksMaxAgeMs: maxAgeMs } = issuer;
      const keys = createKeySource({
        issuer: issuer.issuer,
        jwksUri,
        cooldownMs,
        maxAgeMs,
        clock,
        report,
        ...(fetch !== undefined && { fetch }),
      });
      return [issuer.issuer, { issuer, keys }];
    }),
  );

  return {
    async verify(token) {
      // What a token says of itself only chooses among the configured issuers. Keys come from there, never from its header.
      const found = known.get(issuerOf(token));
      if (found === undefined) return null;
      const { issuer, keys } = found;
      try {
        const { payload } = await jwtVerify(token, keys.key, {
          issuer: issuer.issuer,
          audience: [...issuer.audience],
          algorithms: [...issuer.algorithms],
          requiredClaims: ["exp", "sub", ...(issuer.requireNbf ? ["nbf"] : [])],
          clockTolerance: issuer.clockToleranceMs / 1_000,
          currentDate: new Date(clock.now()),
        });
        const { iat = 0, sub = "" } = payload;
        const isEarly = iat * 1_000 > clock.now() + issuer.clockToleranceMs;
        if (!isEarly && sub !== "" && sub.length <= longestSubject) return { issuer, claims: payload };
        refused(issuer.issuer, isEarly ? "iat lies in the future" : "sub is empty or too long");
        return null;
      } catch (error) {
        if (error instanceof BerthError) throw error;
        if (!(error instanceof errors.JOSEError || error instanceof TypeError)) throw error;
        refused(issuer.issuer, error.message);
        return null;
      }
    },
    stop() {
      for (const { keys } of known.values()) keys.stop();
    },
  };
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    return "";
  }
}

import { errors, type JWTHeaderParameters, jwtVerify } from "jose";
import type { Clock } from "../../lib/clock.ts";
import type { TokenKey } from "../protocol/keys.ts";
import {
  audienceOf,
  clockTolerance,
  longestTokenLife,
  tokenAlgorithms,
  type TokenClaims,
  tokenClaims,
  tokenIssuer,
  tokenType,
} from "../protocol/token.ts";

/** What a token says; null when it is not good. */
export type VerifyToken = (token: string) => Promise<TokenClaims | null>;

export interface VerifierOptions {
  /** Public keys of the servers that this host serves. */
  readonly keys: readonly TokenKey[];
  /** The host's own name: tokens for other hosts are not taken. */
  readonly name: string;
  readonly clock: Clock;
  /** Is told why a token was not taken; whoever sent it is not. */
  readonly refused?: (why: string) => void;
}

const longestToken = 4_096;

/** Takes tokens that one of the keys signed, for this host and for five minutes at most. */
export function createTokenVerifier({ keys, name, clock, refused }: VerifierOptions): VerifyToken {
  const byId = new Map(keys.map((key) => [key.id, key]));

  // A token's header only chooses among the keys that this host was given.
  const keyOf = ({ kid = "", alg }: JWTHeaderParameters) => {
    const key = byId.get(kid);
    if (key === undefined || key.algorithm !== alg) throw new errors.JWKSNoMatchingKey();
    return key.key;
  };

  return async (token) => {
    if (token.length > longestToken) return null;
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: [...tokenAlgorithms],
        audience: audienceOf(name),
        issuer: tokenIssuer,
        typ: tokenType,
        requiredClaims: ["exp", "iat", "jti", "sub", "on", "verbs"],
        maxTokenAge: longestTokenLife,
        clockTolerance,
        currentDate: new Date(clock.now()),
      });
      const claims = tokenClaims.parse(payload);
      if (claims.exp - claims.iat <= longestTokenLife) return claims;
      refused?.("it is valid for longer than five minutes");
    } catch (error) {
      refused?.(error instanceof errors.JOSEError ? error.message : "its claims are not as they must be");
    }
    return null;
  };
}

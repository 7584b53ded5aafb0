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

/** What a token says, and which key has signed it. */
export interface VerifiedClaims extends TokenClaims {
  readonly key: string;
}

/** What a token says; null when it is not good. */
export type VerifyToken = (token: string) => Promise<VerifiedClaims | null>;

/** A server's public key. */
export interface TrustedKey extends TokenKey {
  /** The only deployment that it may act as, before or after restores. Default: any, which is safe only where no other key is trusted. */
  readonly deployment?: string | null;
}

export interface VerifierOptions {
  /** Of the servers that this host serves. */
  readonly keys: readonly TrustedKey[];
  /** The host's own name: tokens for other hosts are not taken. */
  readonly name: string;
  readonly clock: Clock;
  /** Is told why a token was not taken; whoever sent it is not. */
  readonly refused?: (why: string) => void;
}

const longestToken = 4_096;

/** Takes tokens that one of the keys signed, for this host and for five minutes at most. */
export function createTokenVerifier({ keys, name, clock, refused }: VerifierOptions): VerifyToken {
  const byId = Map.groupBy(keys, ({ id }) => id);

  // A token's header only chooses among the keys that this host was given.
  const keyOf = ({ kid = "", alg }: JWTHeaderParameters) => {
    const key = byId.get(kid)?.[0];
    if (key === undefined || key.algorithm !== alg) throw new errors.JWKSNoMatchingKey();
    return key.key;
  };

  return async (token) => {
    if (token.length > longestToken) return null;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
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
      const { kid: key = "" } = protectedHeader;
      if (claims.exp - claims.iat > longestTokenLife) refused?.("it is valid for longer than five minutes");
      else if (!mayBe(byId.get(key) ?? [], claims.sub))
        refused?.(`its key is trusted for another deployment than ${claims.sub}`);
      else return { ...claims, key };
    } catch (error) {
      refused?.(error instanceof errors.JOSEError ? error.message : "its claims are not as they must be");
    }
    return null;
  };
}

/** Whether one of the entries of a key lets it act as a deployment. Restores from backups number it, and it stays the same server's. */
function mayBe(entries: readonly TrustedKey[], claimed: string): boolean {
  return entries.some(
    ({ deployment = null }) =>
      deployment === null || claimed === deployment || claimed.replace(/-\d+$/, "") === deployment,
  );
}

import { createHash, timingSafeEqual } from "node:crypto";
import { BerthError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { Principal } from "./principal.ts";

/** What a request says about its sender: the values of its headers, null where there is none. */
export interface Credentials {
  /** `Authorization` */
  readonly authorization: string | null;
  /** `X-API-Key` */
  readonly apiKey: string | null;
}

export interface Authenticator {
  /** Rejects with `unauthenticated`. */
  authenticate(credentials: Credentials): Promise<Principal>;
}

/** No key is longer; what is, is not hashed. */
const longestKey = 1_024;

/** Knows one key and whose it is. Keys are compared as digests in constant time, so that no answer tells how much was right. */
export function createAuthenticator(options: { adminKey: Secret; principal: Principal }): Authenticator {
  const expected = digest(options.adminKey.reveal());
  return {
    async authenticate(credentials) {
      const key = keyOf(credentials);
      if (key.length > longestKey || !timingSafeEqual(digest(key), expected)) {
        throw unauthenticated("this key is not valid");
      }
      return options.principal;
    },
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Two credentials would leave open who is meant, so they are refused. So is a header that came twice: it holds a comma. */
function keyOf({ authorization, apiKey }: Credentials): string {
  if (authorization !== null && apiKey !== null) throw unauthenticated("this request has two credentials");
  if (authorization === null && apiKey === null) throw unauthenticated("this request has no credentials");
  const key = authorization === null ? apiKey : /^Bearer +([^\s,]+) *$/i.exec(authorization)?.[1];
  if (key === null || key === undefined) throw unauthenticated("this Authorization header is not understood");
  return key;
}

function unauthenticated(what: string): BerthError {
  return new BerthError(
    "unauthenticated",
    `${what}: send the key as \`Authorization: Bearer KEY\` or as \`X-API-Key: KEY\``,
  );
}

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { Secret } from "../lib/secret.ts";

/** 60 random bits to find a key by and to tell it by, and 256 that nobody else knows. */
const shape = /^(brt_[0-9a-hjkmnp-tv-z]{12})_[A-Za-z0-9_-]{43}$/;
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

export interface NewApiKey {
  /** Shown once, and kept nowhere. */
  readonly key: Secret;
  /** `brt_` and 12 characters: no secret. */
  readonly prefix: string;
  /** What is stored in the key's place. */
  readonly hash: string;
}

/** A key that nobody has had before: `brt_<12 characters>_<43 characters>`. */
export function makeApiKey(pepper: Buffer): NewApiKey {
  const prefix = `brt_${Array.from(randomBytes(12), (byte) => alphabet[byte & 31]).join("")}`;
  const text = `${prefix}_${randomBytes(32).toString("base64url")}`;
  return { key: new Secret(text), prefix, hash: digest(text, pepper).toString("hex") };
}

/** The prefix of what has a key's exact shape; null for anything else: no trimming, no other case. */
export function apiKeyPrefix(text: string): string | null {
  return shape.exec(text)?.[1] ?? null;
}

/**
 * Whether the text is the key whose hash is stored. With null, for a key that is not known, the same work is done and the answer
 * is no, so that the time that it takes does not tell which prefixes there are.
 */
export function isApiKey(
  text: string,
  stored: { readonly hash: string | null; readonly pepper: Buffer },
): boolean {
  const actual = digest(text, stored.pepper);
  const expected = stored.hash === null ? randomBytes(32) : Buffer.from(stored.hash, "hex");
  return expected.byteLength === actual.byteLength && timingSafeEqual(actual, expected);
}

/** HMAC-SHA-256 under the server's pepper: who has the database alone has no key and cannot try one. */
function digest(text: string, pepper: Buffer): Buffer {
  return createHmac("sha256", pepper).update(`api key\n${text}`).digest();
}

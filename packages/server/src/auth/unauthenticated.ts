import { BerthError } from "../lib/errors.ts";

/** Of a request that cannot be told whose it is. */
export function unauthenticated(what: string): BerthError {
  return new BerthError(
    "unauthenticated",
    `${what}: send the key as \`Authorization: Bearer KEY\` or as \`X-API-Key: KEY\``,
  );
}

/** The one answer to whatever is wrong with a credential: which it was is nobody's business. */
export function invalidCredential(): BerthError {
  return unauthenticated("this credential is not valid");
}

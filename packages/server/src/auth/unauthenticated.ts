import { BerthError } from "../lib/errors.ts";
import type { Principal } from "./principal.ts";

/** Of a request that cannot be told whose it is. */
export function unauthenticated(what: string): BerthError {
  return new BerthError(
    "unauthenticated",
    `${what}: send the key as \`Authorization: Bearer KEY\` or as \`X-API-Key: KEY\``,
  );
}

/** The one answer to whatever is wrong with a credential: which it was is nobody's business. */
export function invalidCredential(holder?: Holder): BerthError {
  const error = unauthenticated("this credential is not valid");
  if (holder !== undefined) holders.set(error, holder);
  return error;
}

/** Whose a credential was that is not good any more: for the audit log, never for the answer. */
export type Holder = Pick<Principal, "orgId" | "type" | "id" | "name" | "credential">;

const holders = new WeakMap<BerthError, Holder>();

/** For what a request of somebody known is refused for otherwise: tells on whose behalf. */
export function refusedTo(holder: Holder): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof BerthError) holders.set(thrown, holder);
    throw thrown;
  };
}

/** Who holds the credential that a request was refused for; null when that is not known. */
export function holderOf(error: BerthError): Holder | null {
  return holders.get(error) ?? null;
}

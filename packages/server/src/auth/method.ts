import type { Presented } from "./presented.ts";
import type { CredentialKind, Principal } from "./principal.ts";

/** The key or token of a request. */
export interface Token {
  readonly text: string;
  /** SHA-256 of it, to compare and to remember it by. */
  readonly digest: Buffer;
}

interface MethodBase {
  readonly kind: CredentialKind;
  /** Who it is now, by what the store says and no memory; null when the credential is no longer good. */
  recheck(principal: Principal): Promise<Principal | null>;
}

/** A way to prove oneself with `Authorization: Bearer` or `X-API-Key`. */
export interface TokenMethod extends MethodBase {
  /** Whether it could be one of its tokens, by its looks. */
  takes(token: string): boolean;
  /** Null when the token is not good. Rejects with `org_not_found`. */
  authenticate(token: Token, presented: Presented): Promise<Principal | null>;
}

/** A way to prove oneself with something else that a request has. */
export interface RequestMethod extends MethodBase {
  isOffered(presented: Presented): boolean;
  /** Null when what is offered is not good. Rejects with `org_not_found` or `csrf_failed`. */
  authenticate(presented: Presented): Promise<Principal | null>;
}

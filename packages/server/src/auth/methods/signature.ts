import type { Counter } from "../../coordination/counter.ts";
import type { FoundApiKey } from "../../store/identity.ts";
import type { Store } from "../../store/store.ts";
import type { KeyUse } from "../key-use.ts";
import type { RequestMethod } from "../method.ts";
import type { OrgChoice } from "../org-choice.ts";
import type { Presented } from "../presented.ts";
import { principalOf } from "../principal-of.ts";
import type { Principal } from "../principal.ts";
import {
  isSignature,
  parseRequestSignature,
  type RequestSignature,
  signatureScheme,
  signingSecret,
  signRequest,
} from "../request-signature.ts";

export interface SignatureOptions {
  readonly store: Store;
  readonly pepper: Buffer;
  readonly orgs: OrgChoice;
  readonly counter: Counter;
  readonly use: KeyUse;
  readonly now: () => number;
}

/** How far a signature's time may be off. Milliseconds. */
const toleranceMs = 60_000;
/** A nonce is remembered for longer than its signature can be good. */
const nonceMs = 2 * toleranceMs + 10_000;

/**
 * Requests that a service account signs with the secret of one of its keys: the secret never travels, and what was signed can be sent
 * neither changed nor twice.
 */
export function signatureMethod(options: SignatureOptions): RequestMethod {
  const { store, pepper, orgs, counter, use, now } = options;
  const { identity } = store.system;

  function principalOfKey(
    { key, standing }: Omit<FoundApiKey, "hash">,
    bodyHash: string | undefined,
  ): Principal | null {
    const isOver = key.expiresAt !== null && key.expiresAt <= now();
    if (key.principalType !== "service" || key.revokedAt !== null || isOver) return null;
    const about = { kind: "signature", id: key.id, expiresAt: key.expiresAt } as const;
    const credential = bodyHash === undefined ? about : { ...about, bodyHash };
    return principalOf(standing, { credential, scopes: key.scopes });
  }

  /** For a key that is not known the same work is done. */
  function isRight(signature: RequestSignature, presented: Presented, found: FoundApiKey | null): boolean {
    const { method, target } = presented;
    const org = presented.header("x-berth-org") ?? "";
    const secret = signingSecret(found?.key.id ?? "", pepper);
    const isSame = isSignature(signRequest(secret, { method, target, org }, signature), signature.mac);
    return isSame && found !== null && Math.abs(now() - signature.seconds * 1_000) <= toleranceMs;
  }

  /** False when it was used before. */
  async function isNew({ prefix, nonce }: RequestSignature): Promise<boolean> {
    const bucket = { tokens: 1, capacity: 1, perMs: nonceMs };
    return (await counter.takeTokens(`nonce ${prefix} ${nonce}`, bucket)).ok;
  }

  return {
    kind: "signature",
    isOffered: (presented) =>
      presented.header("authorization")?.toLowerCase().startsWith(`${signatureScheme} `) === true,

    async authenticate(presented) {
      const signature = parseRequestSignature(presented.header("authorization") ?? "");
      if (signature === null) return null;
      const found = await identity.findApiKey(signature.prefix);
      if (!isRight(signature, presented, found) || found === null) return null;
      const principal = principalOfKey(found, signature.bodyHash);
      if (principal === null || !(await isNew(signature))) return null;
      await orgs.requireOnly(principal.orgId, presented);
      use.note({ orgId: principal.orgId, id: found.key.id });
      return principal;
    },

    async recheck({ orgId, type, id, credential }) {
      const key = await store.org(orgId).identity.findApiKey(credential.id);
      if (key === null) return null;
      const standing = await identity.findStanding({ orgId, type, id });
      return principalOfKey({ key, standing }, credential.bodyHash);
    },
  };
}

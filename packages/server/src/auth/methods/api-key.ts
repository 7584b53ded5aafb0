import type { FoundApiKey, SystemIdentity } from "../../store/identity.ts";
import type { Store } from "../../store/store.ts";
import { apiKeyPrefix, isApiKey } from "../api-key.ts";
import type { KeyUse } from "../key-use.ts";
import type { TokenMethod } from "../method.ts";
import type { OrgChoice } from "../org-choice.ts";
import { principalOf } from "../principal-of.ts";
import type { Principal } from "../principal.ts";
import type { ShortMemory } from "../short-memory.ts";
import { type Holder, invalidCredential, refusedTo } from "../unauthenticated.ts";

export interface ApiKeyOptions {
  readonly store: Store;
  readonly pepper: Buffer;
  readonly memory: ShortMemory<Principal>;
  readonly orgs: OrgChoice;
  readonly use: KeyUse;
  readonly now: () => number;
}

/** Keys that people and service accounts make for themselves, each good for one organization. */
export function apiKeyMethod({ store, pepper, memory, orgs, use, now }: ApiKeyOptions): TokenMethod {
  const identity: SystemIdentity = store.system.identity;

  function principalOfKey({ key, standing }: Omit<FoundApiKey, "hash">): Principal | null {
    if (key.revokedAt !== null || (key.expiresAt !== null && key.expiresAt <= now())) return null;
    const credential = { kind: "api_key", id: key.id, expiresAt: key.expiresAt } as const;
    return principalOf(standing, { credential, scopes: key.scopes });
  }

  async function lookUp(text: string): Promise<Principal | null> {
    const prefix = apiKeyPrefix(text);
    const found = prefix === null ? null : await identity.findApiKey(prefix);
    if (!isApiKey(text, { hash: found?.hash ?? null, pepper }) || found === null) return null;
    const principal = principalOfKey(found);
    if (principal === null) throw invalidCredential(holderOfKey(found));
    return principal;
  }

  return {
    kind: "api_key",
    takes: (token) => token.startsWith("brt_"),

    async authenticate({ text, digest }, presented) {
      const remembered = `key ${digest.toString("base64")}`;
      const known = memory.get(remembered);
      const principal = known ?? (await lookUp(text));
      if (principal === null) return null;
      if (known === undefined) memory.set(remembered, principal.orgId, principal);
      await orgs.requireOnly(principal.orgId, presented).catch(refusedTo(principal));
      use.note({ orgId: principal.orgId, id: principal.credential.id });
      return principal;
    },

    async recheck({ orgId, type, id, credential }) {
      const key = await store.org(orgId).identity.findApiKey(credential.id);
      return key === null
        ? null
        : principalOfKey({ key, standing: await identity.findStanding({ orgId, type, id }) });
    },
  };
}

/** Whose a key was that opens nothing any more. */
function holderOfKey({ key, standing }: Omit<FoundApiKey, "hash">): Holder {
  const { orgId, principalType: type, principalId: id, expiresAt } = key;
  const credential = { kind: "api_key", id: key.id, expiresAt } as const;
  return { orgId, type, id, name: standing?.name ?? "", credential };
}

import type { LoginRecord } from "../../store/identity.ts";
import type { Store } from "../../store/store.ts";
import type { Logins } from "../logins.ts";
import type { RequestMethod } from "../method.ts";
import { type OrgChoice, orgNotFound } from "../org-choice.ts";
import type { Presented } from "../presented.ts";
import { principalOf } from "../principal-of.ts";
import type { Credential, Principal } from "../principal.ts";
import { changesSomething, type OriginRules, requireSameOrigin } from "../same-origin.ts";
import type { ShortMemory } from "../short-memory.ts";
import { invalidCredential } from "../unauthenticated.ts";

export interface CookieOptions {
  readonly store: Store;
  readonly logins: Logins;
  readonly orgs: OrgChoice;
  readonly memory: ShortMemory<Principal>;
  /** Of pages that may act for people who are logged in, besides the server's own. */
  readonly origins: OriginRules;
}

interface Shown {
  readonly login: LoginRecord;
  readonly tokenHash: string;
}

/** The cookie of a person who is logged in. Browsers send it unasked, so whatever changes something has to show the login's token too. */
export function cookieMethod(options: CookieOptions): RequestMethod {
  const { store, logins, orgs, memory, origins } = options;
  const { identity } = store.system;
  const shown = new WeakMap<Credential, Shown>();

  async function look(tokenHash: string, presented: Presented): Promise<Principal | null> {
    const login = await logins.find(presented);
    if (login === null) return null;
    const wanted = await orgs.wanted(presented);
    const credential: Credential = {
      kind: "cookie",
      id: login.id,
      expiresAt: login.createdAt + logins.lifetimeMs,
    };
    const orgId = wanted?.id ?? login.orgId;
    const principal = principalOf(await identity.findStanding({ orgId, type: "user", id: login.userId }), {
      credential,
    });
    if (principal === null && wanted !== null) throw orgNotFound(presented.header("x-berth-org") ?? "");
    if (principal !== null) shown.set(credential, { login, tokenHash });
    return principal;
  }

  function requireIntent(principal: Principal, presented: Presented): void {
    if (!changesSomething(presented)) return;
    const login = shown.get(principal.credential)?.login;
    if (login === undefined) throw invalidCredential();
    requireSameOrigin(presented, origins);
    logins.requireCsrfToken(login, presented);
  }

  return {
    kind: "cookie",
    isOffered: (presented) => logins.hashOf(presented) !== null,

    async authenticate(presented) {
      const tokenHash = logins.hashOf(presented);
      if (tokenHash === null) return null;
      const key = `cookie ${tokenHash} ${presented.header("x-berth-org") ?? ""}`;
      const known = memory.get(key);
      const principal = known ?? (await look(tokenHash, presented));
      if (principal === null) return null;
      if (known === undefined) memory.set(key, principal.orgId, principal);
      requireIntent(principal, presented);
      return principal;
    },

    async recheck({ orgId, id, credential }) {
      const hash = shown.get(credential)?.tokenHash;
      const login = hash === undefined ? null : await logins.findByHash(hash);
      if (login === null || login.id !== credential.id) return null;
      return principalOf(await identity.findStanding({ orgId, type: "user", id }), { credential });
    },
  };
}

import type { JWTPayload } from "jose";
import type { Store } from "../../store/store.ts";
import { type ClaimRules, orgsOf, personOf } from "../claims.ts";
import { type JwtIssuer, type JwtVerifier, looksLikeJwt } from "../jwt.ts";
import type { TokenMethod } from "../method.ts";
import { type OrgChoice, orgNotFound } from "../org-choice.ts";
import { standingOf } from "../people.ts";
import type { Presented } from "../presented.ts";
import { principalOf } from "../principal-of.ts";
import type { Principal } from "../principal.ts";
import type { ShortMemory } from "../short-memory.ts";

/** An issuer whose tokens are taken, and how its claims are read. */
export interface TokenIssuer extends JwtIssuer, ClaimRules {}

/** A token whose signature and times were good. */
export interface Verified {
  readonly issuer: TokenIssuer;
  readonly claims: JWTPayload;
}

export interface JwtOptions {
  readonly verifier: Pick<JwtVerifier<TokenIssuer>, "verify">;
  readonly store: Store;
  readonly orgs: OrgChoice;
  readonly memory: ShortMemory<Principal>;
  /** Verified tokens, so that a signature is not checked for each request. */
  readonly verified: ShortMemory<Verified>;
  readonly now: () => number;
  /** Is told why a good token opens nothing here. */
  readonly refused: (issuer: string, why: string) => void;
}

/** Signed tokens of identity providers. They cannot be revoked but by their issuer's keys and by their people's standing here. */
export function jwtMethod(options: JwtOptions): TokenMethod {
  const { verifier, store, orgs, memory, verified, now, refused } = options;
  const { identity } = store.system;

  async function verify(text: string, key: string): Promise<Verified | null> {
    const known = verified.get(key);
    if (known !== undefined) return expiryOf(known) <= now() ? null : known;
    const fresh = await verifier.verify(text);
    if (fresh !== null) verified.set(key, "", fresh);
    return fresh;
  }

  async function look(token: Verified, presented: Presented): Promise<Principal | null> {
    const { issuer, claims } = token;
    const subject = claims.sub ?? "";
    const wanted = await orgs.wanted(presented);
    const bound = await orgsOf(orgs, issuer, claims);
    const allowed = bound ?? (await ownOrgs(issuer.issuer, subject));
    const orgId = wanted === null ? allowed[0] : allowed.find((id) => id === wanted.id);
    if (orgId === undefined && wanted !== null) throw orgNotFound(presented.header("x-berth-org") ?? "");
    if (orgId === undefined) {
      refused(issuer.issuer, "it names no organization that is here, and its person is in none");
      return null;
    }
    const standing = await standingOf(
      identity,
      {
        ...personOf(issuer, claims),
        source: "oidc",
        issuer: issuer.issuer,
        subject,
        orgId,
        requestId: null,
        address: presented.peer.address,
      },
      issuer,
    );
    const id = (claims.jti ?? subject).slice(0, 128);
    const principal = principalOf(standing, { credential: { kind: "jwt", id, expiresAt: expiryOf(token) } });
    if (principal === null) refused(issuer.issuer, "its person is no member here, or is suspended");
    return principal;
  }

  /** Of a person whose tokens name no organization. */
  async function ownOrgs(issuer: string, subject: string): Promise<readonly string[]> {
    const account = await identity.findAccountByIdentity({ source: "oidc", issuer, subject });
    const memberships = account === null ? [] : await identity.listMemberships(account.id);
    return memberships.map(({ org }) => org.id);
  }

  return {
    kind: "jwt",
    takes: looksLikeJwt,

    async authenticate({ text, digest }, presented) {
      const key = `jwt ${digest.toString("base64")}`;
      const keyHere = `${key} ${presented.header("x-berth-org") ?? ""}`;
      const known = memory.get(keyHere);
      if (known !== undefined) return known;
      const token = await verify(text, key);
      const principal = token === null ? null : await look(token, presented);
      if (principal !== null) memory.set(keyHere, principal.orgId, principal);
      return principal;
    },

    async recheck({ orgId, type, id, credential }) {
      return principalOf(await identity.findStanding({ orgId, type, id }), { credential });
    },
  };
}

function expiryOf({ issuer, claims }: Verified): number {
  return (claims.exp ?? 0) * 1_000 + issuer.clockToleranceMs;
}

import type { JWTPayload } from "jose";
import type { SystemIdentity } from "../../store/identity.ts";
import type { Store } from "../../store/store.ts";
import { type JwtIssuer, type JwtVerifier, looksLikeJwt } from "../jwt.ts";
import type { TokenMethod } from "../method.ts";
import { type OrgChoice, orgNotFound } from "../org-choice.ts";
import { type Provisioning, standingOf } from "../people.ts";
import type { Presented } from "../presented.ts";
import { principalOf } from "../principal-of.ts";
import type { Principal } from "../principal.ts";
import type { ShortMemory } from "../short-memory.ts";

/** An issuer whose tokens are taken, and how its claims are read. */
export interface TokenIssuer extends JwtIssuer, Provisioning {
  /** Id or slug of the one organization that its tokens are for. */
  readonly org: string | null;
  /** The claim that names the organization, or several. Null with `org` null: one of those that the person is a member of. */
  readonly orgClaim: string | null;
  readonly nameClaim: string;
  readonly emailClaim: string;
  readonly roleClaim: string | null;
  /** The role of each value of `roleClaim`; the first one that the token has counts. */
  readonly roles: Readonly<Record<string, string>>;
}

export interface JwtOptions {
  readonly verifier: Pick<JwtVerifier<TokenIssuer>, "verify">;
  readonly store: Store;
  readonly orgs: OrgChoice;
  readonly memory: ShortMemory<Principal>;
  /** Verified tokens, so that a signature is not checked for each request. */
  readonly verified: ShortMemory<Verified>;
  readonly now: () => number;
}

export interface Verified {
  readonly issuer: TokenIssuer;
  readonly claims: JWTPayload;
}

/** Signed tokens of identity providers. They cannot be revoked but by their issuer's keys and by their people's standing here. */
export function jwtMethod(options: JwtOptions): TokenMethod {
  const { verifier, store, orgs, memory, verified, now } = options;
  const identity: SystemIdentity = store.system.identity;

  async function claimsOf(text: string, key: string): Promise<Verified | null> {
    const known = verified.get(key);
    if (known !== undefined) return isOver(known.claims, now()) ? null : known;
    const fresh = await verifier.verify(text);
    if (fresh !== null) verified.set(key, "", fresh);
    return fresh;
  }

  async function principalOfToken(token: Verified, presented: Presented): Promise<Principal | null> {
    const { issuer, claims } = token;
    const { sub: subject = "" } = claims;
    const orgId = await orgOf(token, presented);
    if (orgId === null) return null;
    const standing = await standingOf(
      identity,
      {
        source: "oidc",
        issuer: issuer.issuer,
        subject,
        orgId,
        name: textOf(claims[issuer.nameClaim]),
        email: textOf(claims[issuer.emailClaim]),
        emailVerified: claims["email_verified"] === true,
        role: roleOf(issuer, claims),
        requestId: null,
        address: presented.peer.address,
      },
      issuer,
    );
    if (standing === null && presented.header("x-berth-org") !== null) {
      throw orgNotFound(presented.header("x-berth-org") ?? "");
    }
    const id = (claims.jti ?? subject).slice(0, 128);
    return principalOf(standing, { credential: { kind: "jwt", id, expiresAt: expiryOf(claims) } });
  }

  async function orgOf({ issuer, claims }: Verified, presented: Presented): Promise<string | null> {
    const named = issuer.orgClaim === null ? [issuer.org] : textsOf(claims[issuer.orgClaim]);
    const wanted = await orgs.wanted(presented);
    for (const each of named) {
      const org = each === null ? null : await orgs.find(each);
      if (org !== null && (wanted === null || wanted.id === org.id)) return org.id;
    }
    const bound = issuer.org !== null || issuer.orgClaim !== null;
    if (bound && wanted !== null) throw orgNotFound(presented.header("x-berth-org") ?? "");
    if (bound) return null;
    return wanted?.id ?? (await onlyOrgOf(issuer.issuer, claims.sub ?? ""));
  }

  /** Of a person whose token names no organization: the first that it is a member of. */
  async function onlyOrgOf(issuer: string, subject: string): Promise<string | null> {
    const account = await identity.findAccountByIdentity({ source: "oidc", issuer, subject });
    const [first] = account === null ? [] : await identity.listMemberships(account.id);
    return first?.org.id ?? null;
  }

  return {
    kind: "jwt",
    takes: looksLikeJwt,

    async authenticate({ text, digest }, presented) {
      const key = `jwt ${digest.toString("base64")}`;
      const wanted = presented.header("x-berth-org") ?? "";
      const known = memory.get(`${key} ${wanted}`);
      if (known !== undefined) return known;
      const token = await claimsOf(text, key);
      const principal = token === null ? null : await principalOfToken(token, presented);
      if (principal !== null) memory.set(`${key} ${wanted}`, principal.orgId, principal);
      return principal;
    },

    async recheck({ orgId, type, id, credential }) {
      return principalOf(await identity.findStanding({ orgId, type, id }), { credential });
    },
  };
}

function expiryOf({ exp }: JWTPayload): number {
  return (exp ?? 0) * 1_000;
}

function isOver(claims: JWTPayload, now: number): boolean {
  return expiryOf(claims) <= now;
}

function roleOf({ roleClaim, roles }: TokenIssuer, claims: JWTPayload): string | null {
  if (roleClaim === null) return null;
  const held = new Set(textsOf(claims[roleClaim]));
  const value = Object.keys(roles).find((one) => held.has(one));
  return value === undefined ? null : (roles[value] ?? null);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= 320 ? value : null;
}

function textsOf(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value.slice(0, 100) : [value]).flatMap((one: unknown) => textOf(one) ?? []);
}

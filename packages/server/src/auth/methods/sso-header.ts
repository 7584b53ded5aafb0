import { z } from "zod";
import type { Secret } from "../../lib/secret.ts";
import type { AddressSet } from "../../lib/addresses.ts";
import type { Store } from "../../store/store.ts";
import { certificateNames } from "../certificate-names.ts";
import type { RequestMethod } from "../method.ts";
import { type OrgChoice, orgNotFound } from "../org-choice.ts";
import type { Peer } from "../peer.ts";
import { type Provisioning, standingOf } from "../people.ts";
import type { Presented } from "../presented.ts";
import { principalOf } from "../principal-of.ts";
import type { Principal } from "../principal.ts";
import { type OriginRules, refuseForeignChange } from "../same-origin.ts";
import type { ShortMemory } from "../short-memory.ts";
import { isSignedSso } from "../sso-signature.ts";

export interface SsoHeaderOptions {
  /** Null: nobody is believed, and who sends the header is refused. */
  readonly trust: SsoTrust | null;
  readonly rules: Provisioning;
  /** Id or slug of the organization of whom the header places in none. */
  readonly defaultOrg: string | null;
  readonly store: Store;
  readonly orgs: OrgChoice;
  readonly memory: ShortMemory<Principal>;
  readonly now: () => number;
  /** Of pages that may change something for people behind the proxy, besides the server's own. */
  readonly origins: OriginRules;
}

/** Which proxies are believed: by their address, and by a signature or a certificate besides. */
export interface SsoTrust {
  /** Null: those that the server trusts with clients' addresses. */
  readonly proxies: AddressSet | null;
  readonly secret: Secret | null;
  /** Fingerprints and names. */
  readonly certificates: readonly string[];
}

const header = "x-user-info";
const longestHeader = 8_192;

const userInfo = z.strictObject({
  userId: z.string().min(1).max(255),
  email: z.email().max(320),
  name: z.string().min(1).max(200).optional(),
  organization: z.string().min(1).max(64).optional(),
});

/** `X-User-Info` of an authenticating proxy. Anybody can send that header, so it is never passed over: from whom it is not to come it is refused. */
export function ssoHeaderMethod(options: SsoHeaderOptions): RequestMethod {
  const { trust, rules, store, orgs, memory, now, origins } = options;
  const { identity } = store.system;

  async function look(value: string, presented: Presented): Promise<Principal | null> {
    const parsed = userInfo.safeParse(parse(value));
    if (!parsed.success) return null;
    const { userId, email, name = null, organization = options.defaultOrg } = parsed.data;
    const org = organization === null ? null : await orgs.find(organization);
    if (org === null) return null;
    const named = presented.header("x-berth-org");
    if (named !== null && (await orgs.find(named))?.id !== org.id) throw orgNotFound(named);
    const asserted = {
      source: "sso",
      issuer: "",
      subject: userId,
      name,
      email,
      emailVerified: true,
    } as const;
    const where = { orgId: org.id, role: null, requestId: null, address: presented.peer.address };
    const standing = await standingOf(identity, { ...asserted, ...where }, rules);
    return principalOf(standing, { credential: { kind: "sso_header", id: userId, expiresAt: null } });
  }

  return {
    kind: "sso_header",
    isOffered: (presented) => presented.header(header) !== null,

    async authenticate(presented) {
      const value = presented.header(header) ?? "";
      if (trust === null || value.length > longestHeader || !isTrusted(trust, value, presented, now())) {
        return null;
      }
      refuseForeignChange(presented, origins);
      const key = `sso ${presented.header("x-berth-org") ?? ""} ${value}`;
      const known = memory.get(key);
      if (known !== undefined) return known;
      const principal = await look(value, presented);
      if (principal !== null) memory.set(key, principal.orgId, principal);
      return principal;
    },

    async recheck({ orgId, type, id, credential }) {
      return principalOf(await identity.findStanding({ orgId, type, id }), { credential });
    },
  };
}

/** By the socket's other end, whatever headers say, and by what only the proxy has. */
function isTrusted(trust: SsoTrust, value: string, presented: Presented, now: number): boolean {
  const { peer } = presented;
  if (trust.proxies === null ? !peer.trustedProxy : !trust.proxies.has(peer.socket)) return false;
  if (hasCertificate(trust, peer)) return true;
  const signature = presented.header("x-user-info-signature") ?? "";
  return trust.secret !== null && isSignedSso(value, { signature, secret: trust.secret.reveal(), now });
}

function hasCertificate({ certificates }: SsoTrust, { certificate }: Peer): boolean {
  if (certificate === null) return false;
  return certificateNames(certificate).some(({ value }) => certificates.includes(value));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

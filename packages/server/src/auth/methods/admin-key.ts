import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../../lib/secret.ts";
import type { TokenMethod } from "../method.ts";
import type { OrgChoice } from "../org-choice.ts";
import { operatorAbroad, operatorPermissions } from "../permissions.ts";
import type { Principal } from "../principal.ts";

export interface AdminKeyOptions {
  readonly adminKey: Secret;
  /** Whose key it is, and where that is at home. */
  readonly owner: { readonly orgId: string; readonly userId: string; readonly userName: string };
  readonly orgs: OrgChoice;
}

/**
 * The operator's key: an owner at home, and in any other organization what `operatorAbroad` allows. Keys are compared as digests in
 * constant time, so that no answer tells how much was right.
 */
export function adminKeyMethod({ adminKey, owner, orgs }: AdminKeyOptions): TokenMethod {
  const expected = createHash("sha256").update(adminKey.reveal()).digest();
  const who = { type: "user", id: owner.userId, name: owner.userName } as const;
  const credential = { kind: "admin_key", id: "admin", expiresAt: null } as const;
  const atHome: Principal = { ...who, orgId: owner.orgId, permissions: operatorPermissions, credential };
  const inOrg = (orgId: string): Principal =>
    orgId === owner.orgId ? atHome : { ...who, orgId, permissions: operatorAbroad, credential };

  return {
    kind: "admin_key",
    takes: () => true,
    async authenticate({ digest }, presented) {
      if (!timingSafeEqual(digest, expected)) return null;
      const wanted = await orgs.wanted(presented);
      return wanted === null ? atHome : inOrg(wanted.id);
    },
    async recheck({ orgId }) {
      return (await orgs.find(orgId)) === null ? null : inOrg(orgId);
    },
  };
}

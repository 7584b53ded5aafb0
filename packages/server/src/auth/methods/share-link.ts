import type { ShareLinkRecord } from "../../store/access.ts";
import type { Store } from "../../store/store.ts";
import type { KeyUse } from "../key-use.ts";
import type { TokenMethod } from "../method.ts";
import type { OrgChoice } from "../org-choice.ts";
import type { Principal } from "../principal.ts";
import { hashToken } from "../token.ts";

export interface ShareLinkOptions {
  readonly store: Store;
  readonly pepper: Buffer;
  readonly orgs: OrgChoice;
  readonly use: KeyUse;
}

const shape = /^shr_[A-Za-z0-9_-]{43}$/;

/** Links with which anybody reads one session. Nothing is remembered of them: one that was revoked opens nothing more. */
export function shareLinkMethod({ store, pepper, orgs, use }: ShareLinkOptions): TokenMethod {
  return {
    kind: "share_link",
    takes: (token) => shape.test(token),

    async authenticate({ text }, presented) {
      const tokenHash = hashToken(text, { purpose: "share link", pepper });
      const link = await store.system.access.findShareLinkByToken(tokenHash);
      if (link === null) return null;
      await orgs.requireOnly(link.orgId, presented);
      use.note({ orgId: link.orgId, id: link.id });
      return holderOf(link);
    },

    async recheck({ orgId, credential }) {
      const { access, identity } = store.org(orgId);
      const [link, org] = await Promise.all([access.findShareLink(credential.id), identity.findOrg()]);
      return link === null || link.revokedAt !== null || org?.status !== "active" ? null : holderOf(link);
    },
  };
}

/** Whoever has the link. It has no permissions: it is let in only where a session's readers are. */
function holderOf({ id, orgId, sessionId, expiresAt }: ShareLinkRecord): Principal {
  return {
    type: "user",
    id,
    name: "share link",
    orgId,
    permissions: new Set(),
    credential: { kind: "share_link", id, expiresAt },
    onlySession: sessionId,
  };
}

import type { OrgAccess, ShareLinkRecord, SystemAccess } from "../../access.ts";
import type { Outcome } from "../../store.ts";

type InOrg<T> = T & { readonly orgId: string };

/** What changes share links. */
export interface AccessOperations {
  createShareLink(args: InOrg<Parameters<OrgAccess["createShareLink"]>[0]>): Outcome<ShareLinkRecord>;
  revokeShareLink(args: InOrg<Parameters<OrgAccess["revokeShareLink"]>[0]>): ShareLinkRecord | null;
  noteShareLinkUses(uses: Parameters<SystemAccess["noteShareLinkUses"]>[0]): void;
}

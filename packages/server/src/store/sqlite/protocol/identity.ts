import type {
  AccountRecord,
  ApiKeyRecord,
  InvitationRecord,
  MemberRecord,
  OrgIdentity,
  OrgRecord,
  RoleRecord,
  ServiceAccountRecord,
  SystemIdentity,
} from "../../identity.ts";
import type { AuditDraft } from "../../audit.ts";
import type { Outcome } from "../../store.ts";

type InOrg<K extends keyof OrgIdentity> = Parameters<OrgIdentity[K]>[0] & { readonly orgId: string };
type Of<K extends keyof SystemIdentity> = Parameters<SystemIdentity[K]>[0];

/** What changes organizations, people, accounts and keys. */
export interface IdentityOperations {
  createOrg(args: Of<"createOrg">): Outcome<OrgRecord>;
  updateOrg(args: InOrg<"updateOrg">): OrgRecord | null;
  updateMember(args: InOrg<"updateMember">): MemberRecord | null;
  removeMember(args: InOrg<"removeMember">): boolean;
  createInvitation(args: InOrg<"createInvitation">): Outcome<InvitationRecord>;
  revokeInvitation(args: InOrg<"revokeInvitation">): boolean;
  acceptInvitation(args: Of<"acceptInvitation">): AccountRecord;
  putRole(args: InOrg<"putRole">): RoleRecord;
  deleteRole(args: InOrg<"deleteRole">): boolean;
  createServiceAccount(args: InOrg<"createServiceAccount">): Outcome<ServiceAccountRecord>;
  updateServiceAccount(args: InOrg<"updateServiceAccount">): ServiceAccountRecord | null;
  deleteServiceAccount(args: InOrg<"deleteServiceAccount">): boolean;
  createApiKey(args: InOrg<"createApiKey">): Outcome<ApiKeyRecord>;
  rotateApiKey(args: InOrg<"rotateApiKey">): Outcome<ApiKeyRecord>;
  revokeApiKey(args: InOrg<"revokeApiKey">): ApiKeyRecord | null;
  touchApiKeys(used: Of<"touchApiKeys">): void;
  /** `replayed` when nothing had to change. */
  provision(args: Of<"provision">): Outcome<AccountRecord>;
  setUpOwner(args: Of<"setUpOwner">): AccountRecord | null;
  updateAccount(args: Of<"updateAccount">): AccountRecord | null;
  setPassword(args: Of<"setPassword">): boolean;
  createLogin(args: Of<"createLogin">): void;
  touchLogin(args: Of<"touchLogin">): void;
  /** False when none ended. */
  endLogins(args: {
    readonly which: Of<"endLogins">;
    readonly orgId?: string;
    readonly audit?: AuditDraft;
  }): number | false;
  pruneIdentity(args: { readonly limit: number }): number;
}

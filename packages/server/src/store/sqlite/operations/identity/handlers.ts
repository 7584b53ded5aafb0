import { acceptInvitation } from "./accept-invitation.ts";
import { setPassword, updateAccount } from "./accounts.ts";
import { createApiKey, revokeApiKey, rotateApiKey, touchApiKeys } from "./api-keys.ts";
import { createInvitation, revokeInvitation } from "./invitations.ts";
import { createLogin, endLogins, pruneIdentity, touchLogin } from "./logins.ts";
import { removeMember, updateMember } from "./members.ts";
import { createOrg, updateOrg } from "./orgs.ts";
import { provision } from "./provision.ts";
import { deleteRole, putRole } from "./roles.ts";
import { setUpOwner } from "./set-up-owner.ts";
import { createServiceAccount, deleteServiceAccount, updateServiceAccount } from "./service-accounts.ts";

/** What changes organizations, people, accounts and keys, by name. */
export const identityHandlers = {
  createOrg,
  updateOrg,
  updateMember,
  removeMember,
  createInvitation,
  revokeInvitation,
  acceptInvitation,
  putRole,
  deleteRole,
  createServiceAccount,
  updateServiceAccount,
  deleteServiceAccount,
  createApiKey,
  rotateApiKey,
  revokeApiKey,
  touchApiKeys,
  provision,
  setUpOwner,
  updateAccount,
  setPassword,
  createLogin,
  touchLogin,
  endLogins,
  pruneIdentity,
};

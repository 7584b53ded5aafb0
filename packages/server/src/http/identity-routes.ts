import type { Endpoint } from "./endpoint.ts";
import { acceptInvitationRoute } from "./routes/accept-invitation.ts";
import { changeOwnPasswordRoute } from "./routes/change-own-password.ts";
import { createApiKeyRoute } from "./routes/create-api-key.ts";
import { createInvitationRoute } from "./routes/create-invitation.ts";
import { createOrgRoute } from "./routes/create-org.ts";
import { createServiceAccountRoute } from "./routes/create-service-account.ts";
import { deleteRoleRoute } from "./routes/delete-role.ts";
import { deleteServiceAccountRoute } from "./routes/delete-service-account.ts";
import { endOwnLoginRoute } from "./routes/end-own-login.ts";
import { endOwnLoginsRoute } from "./routes/end-own-logins.ts";
import { getApiKeyRoute } from "./routes/get-api-key.ts";
import { getMemberRoute } from "./routes/get-member.ts";
import { getOrgRoute } from "./routes/get-org.ts";
import { getOwnAccountRoute } from "./routes/get-own-account.ts";
import { getServiceAccountRoute } from "./routes/get-service-account.ts";
import { listApiKeysRoute } from "./routes/list-api-keys.ts";
import { listInvitationsRoute } from "./routes/list-invitations.ts";
import { listMembersRoute } from "./routes/list-members.ts";
import { listOrgsRoute } from "./routes/list-orgs.ts";
import { listOwnLoginsRoute } from "./routes/list-own-logins.ts";
import { listRolesRoute } from "./routes/list-roles.ts";
import { listServiceAccountsRoute } from "./routes/list-service-accounts.ts";
import { putRoleRoute } from "./routes/put-role.ts";
import { removeMemberRoute } from "./routes/remove-member.ts";
import { revokeApiKeyRoute } from "./routes/revoke-api-key.ts";
import { revokeInvitationRoute } from "./routes/revoke-invitation.ts";
import { rotateApiKeyRoute } from "./routes/rotate-api-key.ts";
import { updateMemberRoute } from "./routes/update-member.ts";
import { updateOrgRoute } from "./routes/update-org.ts";
import { updateOwnAccountRoute } from "./routes/update-own-account.ts";
import { updateServiceAccountRoute } from "./routes/update-service-account.ts";

/** Organizations, their people and programs, and what these prove themselves with. */
export const identityEndpoints: readonly Endpoint[] = [
  createOrgRoute,
  listOrgsRoute,
  getOrgRoute,
  updateOrgRoute,
  listMembersRoute,
  getMemberRoute,
  updateMemberRoute,
  removeMemberRoute,
  createInvitationRoute,
  listInvitationsRoute,
  acceptInvitationRoute,
  revokeInvitationRoute,
  listRolesRoute,
  putRoleRoute,
  deleteRoleRoute,
  createServiceAccountRoute,
  listServiceAccountsRoute,
  getServiceAccountRoute,
  updateServiceAccountRoute,
  deleteServiceAccountRoute,
  createApiKeyRoute,
  listApiKeysRoute,
  getApiKeyRoute,
  rotateApiKeyRoute,
  revokeApiKeyRoute,
  getOwnAccountRoute,
  updateOwnAccountRoute,
  changeOwnPasswordRoute,
  listOwnLoginsRoute,
  endOwnLoginRoute,
  endOwnLoginsRoute,
];

import { newId } from "../../../../src/lib/id.ts";
import type { Rows, Target } from "../../../support/security/matrix-row.ts";
import { keyFor, newMember } from "../../../support/security/tenant.ts";

const word = () => newId("request").slice(-12);
const org = ({ home }: Target) => ({ params: { orgId: home.orgId } });

/** A member that may be spoilt. */
async function member({ home, world }: Target): Promise<{ params: { userId: string } }> {
  const email = `${word()}@people.example`;
  return { params: { userId: await newMember(world.parts, { orgId: home.orgId, email, role: "viewer" }) } };
}

async function account({ make }: Target): Promise<{ params: { serviceAccountId: string } }> {
  const { id = "" } = await make("admin", "POST", "/service-accounts", { name: `robot-${word()}` });
  return { params: { serviceAccountId: id } };
}

/** A key of a service account, that may be spoilt. */
async function key(target: Target): Promise<{ params: { keyId: string } }> {
  const { home, world } = target;
  const { serviceAccountId: id } = (await account(target)).params;
  const { keyId } = await keyFor(world.parts, { orgId: home.orgId, type: "service", id, area: word() });
  return { params: { keyId } };
}

async function role({ make }: Target): Promise<{ params: { roleName: string } }> {
  const roleName = `role-${word()}`;
  await make("admin", "PUT", `/roles/${roleName}`, { permissions: ["session:read"] });
  return { params: { roleName } };
}

const invited = () => ({ kind: "join", email: `${word()}@people.example`, role: "viewer" });

export const identityRows: Rows = {
  createOrg: { may: "operator", ok: [201], abroad: true, given: () => ({ body: { slug: `org-${word()}` } }) },
  listOrgs: { may: "operator", ok: [200], abroad: true },
  getOrg: { may: "member", ok: [200], abroad: true, given: org },
  updateOrg: {
    may: "admin",
    ok: [200],
    abroad: true,
    given: (target) => ({ ...org(target), body: { settings: { defaultVisibility: null } } }),
  },
  listMembers: { may: "member", ok: [200], abroad: true },
  getMember: {
    may: "member",
    ok: [200],
    abroad: true,
    given: ({ home }) => ({ params: { userId: home.people.viewer.id } }),
  },
  updateMember: {
    may: "admin",
    ok: [200],
    abroad: true,
    given: async (target) => ({ ...(await member(target)), body: { role: "viewer" } }),
  },
  removeMember: { may: "admin", ok: [204], abroad: true, given: member },
  createInvitation: { may: "admin", ok: [201], abroad: true, given: () => ({ body: invited() }) },
  listInvitations: { may: "admin", ok: [200], abroad: true },
  acceptInvitation: {
    may: "open",
    ok: [404, 409, 410, 422],
    given: () => ({ body: { token: "ivt_none", password: "a long enough password" } }),
  },
  revokeInvitation: {
    may: "admin",
    ok: [204],
    abroad: true,
    async given({ make }) {
      const { id = "" } = await make("admin", "POST", "/invitations", invited());
      return { params: { invitationId: id } };
    },
  },
  listRoles: { may: "member", ok: [200], abroad: true },
  putRole: {
    may: "admin",
    ok: [200],
    abroad: true,
    given: async (target) => ({ ...(await role(target)), body: { permissions: ["session:read"] } }),
  },
  deleteRole: { may: "admin", ok: [204], abroad: true, given: role },
  createServiceAccount: {
    may: "admin",
    ok: [201],
    abroad: true,
    given: () => ({ body: { name: `robot-${word()}` } }),
  },
  listServiceAccounts: { may: "admin", ok: [200], abroad: true },
  getServiceAccount: { may: "admin", ok: [200], abroad: true, given: account },
  updateServiceAccount: {
    may: "admin",
    ok: [200],
    abroad: true,
    given: async (target) => ({ ...(await account(target)), body: { status: "active" } }),
  },
  deleteServiceAccount: { may: "admin", ok: [204], abroad: true, given: account },
  createApiKey: {
    may: "admin",
    ok: [201],
    abroad: true,
    async given(target) {
      return { body: { name: "key", owner: (await account(target)).params.serviceAccountId } };
    },
  },
  listApiKeys: { may: "admin", ok: [200], abroad: true },
  getApiKey: { may: "admin", hidden: true, ok: [200], abroad: true, given: key },
  rotateApiKey: {
    may: "admin",
    hidden: true,
    ok: [201],
    abroad: true,
    given: async (target) => ({ ...(await key(target)), body: {} }),
  },
  revokeApiKey: { may: "admin", hidden: true, ok: [200], abroad: true, given: key },
  getOwnAccount: { may: "anyone", ok: [200], abroad: true },
  // Keys, which the matrix calls with, do not open accounts.
  updateOwnAccount: {
    may: "anyone",
    ok: [200, 403],
    abroad: true,
    given: () => ({ body: { name: "Sam" } }),
  },
  changeOwnPassword: {
    may: "anyone",
    ok: [403, 409, 422],
    abroad: true,
    given: () => ({ body: { current: "what it was", new: "what it shall be, at length" } }),
  },
  listOwnLogins: { may: "anyone", ok: [200, 403], abroad: true },
  endOwnLogin: {
    may: "anyone",
    ok: [403, 404],
    abroad: true,
    given: () => ({ params: { loginId: "lgn_none" } }),
  },
  endOwnLogins: { may: "anyone", ok: [204, 403], abroad: true },
};

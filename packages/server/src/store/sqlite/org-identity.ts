import type { Clock } from "../../lib/clock.ts";
import type { OrgIdentity } from "../identity.ts";
import { countUsableKeys, findApiKeyRecord, listApiKeyRecords } from "./queries/identity/api-keys.ts";
import { findInvitationRecord, listInvitationRecords } from "./queries/identity/invitations.ts";
import { findMemberRecord, isMemberElsewhere, listMemberRecords } from "./queries/identity/members.ts";
import { findOrgRecord } from "./queries/identity/orgs.ts";
import { findRoleRecord, listRoleRecords } from "./queries/identity/roles.ts";
import { findServiceAccountRecord, listServiceAccountRecords } from "./queries/identity/service-accounts.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

interface Parts {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly orgId: string;
}

/** Sorts after every id. */
const end = "~";
const byId = ({ id }: { readonly id: string }) => id;

export function orgIdentity(parts: Parts): OrgIdentity {
  return { ...org(parts), ...members(parts), ...invitations(parts), ...services(parts), ...keys(parts) };
}

function org({ writer, reader, orgId }: Parts) {
  return {
    findOrg: () => reader.read((sql) => findOrgRecord(sql, orgId)),
    updateOrg: (change) => writer.run("updateOrg", { ...change, orgId }),
    listRoles: () => reader.read((sql) => listRoleRecords(sql, orgId)),
    findRole: (name) => reader.read((sql) => findRoleRecord(sql, orgId, name)),
    putRole: (change) => writer.run("putRole", { ...change, orgId }),
    deleteRole: (change) => writer.run("deleteRole", { ...change, orgId }),
  } satisfies Partial<OrgIdentity>;
}

function members({ writer, reader, orgId }: Parts) {
  return {
    findMember: (userId) => reader.read((sql) => findMemberRecord(sql, orgId, userId)),
    listMembers: ({ limit, after = "", email }) =>
      reader.read((sql) => {
        const rows = listMemberRecords(sql, { orgId, after, email, limit: limit + 1 });
        return pageOfRows(rows, limit, ({ userId }) => userId);
      }),
    isOnlyHere: (userId) =>
      reader.read(
        (sql) => findMemberRecord(sql, orgId, userId) !== null && !isMemberElsewhere(sql, orgId, userId),
      ),
    updateMember: (change) => writer.run("updateMember", { ...change, orgId }),
    removeMember: (change) => writer.run("removeMember", { ...change, orgId }),
  } satisfies Partial<OrgIdentity>;
}

function invitations({ writer, reader, clock, orgId }: Parts) {
  return {
    createInvitation: (change) => writer.run("createInvitation", { ...change, orgId }),
    findInvitation: (id) => reader.read((sql) => findInvitationRecord(sql, orgId, id)),
    listInvitations: ({ limit, after: before = end, open }) =>
      reader.read((sql) => {
        const openAt = open === true ? clock.now() : null;
        return pageOfRows(
          listInvitationRecords(sql, { orgId, before, openAt, limit: limit + 1 }),
          limit,
          byId,
        );
      }),
    revokeInvitation: (change) => writer.run("revokeInvitation", { ...change, orgId }),
  } satisfies Partial<OrgIdentity>;
}

function services({ writer, reader, orgId }: Parts) {
  return {
    createServiceAccount: (change) => writer.run("createServiceAccount", { ...change, orgId }),
    findServiceAccount: (id) => reader.read((sql) => findServiceAccountRecord(sql, orgId, id)),
    listServiceAccounts: ({ limit, after = "" }) =>
      reader.read((sql) =>
        pageOfRows(listServiceAccountRecords(sql, { orgId, after, limit: limit + 1 }), limit, byId),
      ),
    updateServiceAccount: (change) => writer.run("updateServiceAccount", { ...change, orgId }),
    deleteServiceAccount: (change) => writer.run("deleteServiceAccount", { ...change, orgId }),
  } satisfies Partial<OrgIdentity>;
}

function keys({ writer, reader, clock, orgId }: Parts) {
  return {
    createApiKey: (change) => writer.run("createApiKey", { ...change, orgId }),
    findApiKey: (id) => reader.read((sql) => findApiKeyRecord(sql, orgId, id)),
    listApiKeys: ({ limit, after: before = end, principalId }) =>
      reader.read((sql) =>
        pageOfRows(listApiKeyRecords(sql, { orgId, principalId, before, limit: limit + 1 }), limit, byId),
      ),
    countApiKeys: () => reader.read((sql) => countUsableKeys(sql, orgId, clock.now())),
    rotateApiKey: (change) => writer.run("rotateApiKey", { ...change, orgId }),
    revokeApiKey: (change) => writer.run("revokeApiKey", { ...change, orgId }),
  } satisfies Partial<OrgIdentity>;
}

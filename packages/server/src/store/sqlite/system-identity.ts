import type { Clock } from "../../lib/clock.ts";
import type { SystemIdentity } from "../identity.ts";
import {
  findAccountRecord,
  findAccountRecordByEmail,
  findAccountRecordByIdentity,
} from "./queries/identity/accounts.ts";
import { findKeyByPrefix } from "./queries/identity/api-keys.ts";
import { findOpenInvitation } from "./queries/identity/invitations.ts";
import { findLoginRecord, listLoginRecords } from "./queries/identity/logins.ts";
import { findOrgRecordBySlug, listMembershipRecords, listOrgRecords } from "./queries/identity/orgs.ts";
import { findCertified, findStanding } from "./queries/identity/standing.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

interface Parts {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly clock: Clock;
}

export function systemIdentity(parts: Parts): SystemIdentity {
  return { ...standings(parts), ...orgs(parts), ...accounts(parts), ...entries(parts) };
}

function standings({ writer, reader }: Parts) {
  return {
    findApiKey: (prefix) =>
      reader.read((sql) => {
        const found = findKeyByPrefix(sql, prefix);
        if (found === null) return null;
        const { orgId, principalType: type, principalId: id } = found.key;
        return { ...found, standing: findStanding(sql, { orgId, type, id }) };
      }),
    async touchApiKeys(used) {
      if (used.length > 0) await writer.run("touchApiKeys", used);
    },
    findStanding: (who) => reader.read((sql) => findStanding(sql, who)),
    findByCertificate: (names) =>
      reader.read((sql) => {
        const found = findCertified(sql, names);
        return found === null ? null : findStanding(sql, { ...found, type: "service" });
      }),
  } satisfies Partial<SystemIdentity>;
}

function orgs({ writer, reader }: Parts) {
  return {
    findOrgBySlug: (slug) => reader.read((sql) => findOrgRecordBySlug(sql, slug)),
    listOrgs: ({ limit, after = "" }) =>
      reader.read((sql) =>
        pageOfRows(listOrgRecords(sql, { after, limit: limit + 1 }), limit, ({ id }) => id),
      ),
    createOrg: (change) => writer.run("createOrg", change),
  } satisfies Partial<SystemIdentity>;
}

function accounts({ writer, reader }: Parts) {
  return {
    findAccountByEmail: (email) => reader.read((sql) => findAccountRecordByEmail(sql, email)),
    findAccount: (userId) => reader.read((sql) => findAccountRecord(sql, userId)),
    findAccountByIdentity: (identity) => reader.read((sql) => findAccountRecordByIdentity(sql, identity)),
    listMemberships: (userId) => reader.read((sql) => listMembershipRecords(sql, userId)),
    provision: async (change) => (await writer.run("provision", change)).result,
    setUpOwner: (change) => writer.run("setUpOwner", change),
    updateAccount: (change) => writer.run("updateAccount", change),
    setPassword: (change) => writer.run("setPassword", change),
  } satisfies Partial<SystemIdentity>;
}

function entries({ writer, reader, clock }: Parts) {
  return {
    findInvitation: (tokenHash) => reader.read((sql) => findOpenInvitation(sql, tokenHash, clock.now())),
    acceptInvitation: (change) => writer.run("acceptInvitation", change),
    createLogin: (login) => writer.run("createLogin", login),
    findLogin: (tokenHash) => reader.read((sql) => findLoginRecord(sql, tokenHash, clock.now())),
    touchLogin: (change) => writer.run("touchLogin", change),
    listLogins: (userId) => reader.read((sql) => listLoginRecords(sql, userId, clock.now())),
    endLogins: async (which, audited) => (await writer.run("endLogins", { which, ...audited })) || 0,
    pruneIdentity: (limit) => writer.run("pruneIdentity", { limit }),
  } satisfies Partial<SystemIdentity>;
}

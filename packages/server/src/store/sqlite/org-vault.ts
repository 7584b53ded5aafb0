import type { OrgModelProviders } from "../model-providers.ts";
import type { OrgUserConfig } from "../user-config.ts";
import type { OrgVault, SystemVault } from "../vault.ts";
import {
  countDataKeysByMaster,
  findDataKeyRecord,
  listForeignDataKeys,
  listOrgsWithDataKeys,
} from "./queries/vault/data-keys.ts";
import {
  findModelProviderRecord,
  listModelProviderRecords,
  providerVersionOf,
} from "./queries/vault/model-providers.ts";
import {
  countAllSecrets,
  findSealedSecret,
  listOlderSecrets,
  listSandboxSecretRecords,
} from "./queries/vault/secrets.ts";
import { findFragments, findUserConfigRecord } from "./queries/vault/user-configs.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

interface Parts {
  readonly writer: Writer;
  readonly reader: Reader;
}
type OrgParts = Parts & { readonly orgId: string };

export function orgVault({ writer, reader, orgId }: OrgParts): OrgVault {
  return {
    findDataKey: (version) => reader.read((sql) => findDataKeyRecord(sql, orgId, version)),
    addDataKey: (key) => writer.run("addDataKey", { ...key, orgId }),
    findSecret: (name) => reader.read((sql) => findSealedSecret(sql, { ...name, orgId })),
    listSandboxSecrets: () => reader.read((sql) => listSandboxSecretRecords(sql, orgId)),
    putSandboxSecret: (change) => writer.run("putSandboxSecret", { ...change, orgId }),
    removeSandboxSecret: (change) => writer.run("removeSandboxSecret", { ...change, orgId }),
    listOlder: (filter) => reader.read((sql) => listOlderSecrets(sql, { ...filter, orgId })),
    reseal: (secrets) => writer.run("resealSecrets", { orgId, secrets }),
    dropDataKeys: (before) => writer.run("dropDataKeys", { orgId, before }),
  };
}

export function systemVault({ writer, reader }: Parts): SystemVault {
  return {
    countByMaster: () => reader.read((sql) => countDataKeysByMaster(sql)),
    listForeign: (filter) => reader.read((sql) => listForeignDataKeys(sql, filter)),
    rewrap: (keys) => writer.run("rewrapDataKeys", keys),
    listOrgs: (filter) => reader.read((sql) => listOrgsWithDataKeys(sql, filter)),
    countSecrets: () => reader.read((sql) => countAllSecrets(sql)),
  };
}

export function orgModelProviders({ writer, reader, orgId }: OrgParts): OrgModelProviders {
  return {
    list: () => reader.read((sql) => listModelProviderRecords(sql, orgId)),
    find: (name) => reader.read((sql) => findModelProviderRecord(sql, orgId, name)),
    put: (change) => writer.run("putModelProvider", { ...change, orgId }),
    remove: (change) => writer.run("removeModelProvider", { ...change, orgId }),
    version: () => reader.read((sql) => providerVersionOf(sql, orgId)),
  };
}

export function orgUserConfig({ writer, reader, orgId }: OrgParts): OrgUserConfig {
  return {
    find: (userId) => reader.read((sql) => findUserConfigRecord(sql, orgId, userId)),
    put: (change) => writer.run("putUserConfig", { ...change, orgId }),
    remove: (change) => writer.run("removeUserConfig", { ...change, orgId }),
    fragmentsAt: (userId, at) => reader.read((sql) => findFragments(sql, { orgId, userId, at })),
  };
}

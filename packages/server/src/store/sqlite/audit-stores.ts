import type { OrgAudit, SystemAudit } from "../audit.ts";
import {
  auditedOrgs,
  findAuditHead,
  listAuditRecords,
  readAuditChain,
  sealedAuditRecords,
  unsealedAuditOrgs,
  unsealedAuditRecords,
} from "./queries/audit.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** What of an organization's audit log can be read; all that a verification without a server needs. */
export function auditReads(reader: Reader, orgId: string): Omit<OrgAudit, "append"> {
  return {
    list: (filter) =>
      reader.read((sql) => pageOfRows(listAuditRecords(sql, orgId, filter), filter.limit, ({ id }) => id)),
    chain: () => reader.readTogether((sql) => readAuditChain(sql, orgId)),
    sealedAfter: (number, limit) => reader.read((sql) => sealedAuditRecords(sql, orgId, { number, limit })),
  };
}

export function orgAudit(parts: {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly orgId: string;
}): OrgAudit {
  const { writer, reader, orgId } = parts;
  return {
    ...auditReads(reader, orgId),
    append: (audit) => writer.run("appendAudit", { orgId, audit }),
  };
}

export function systemAudit({
  writer,
  reader,
}: {
  readonly writer: Writer;
  readonly reader: Reader;
}): SystemAudit {
  return {
    unsealedOrgs: (limit) => reader.read((sql) => unsealedAuditOrgs(sql, limit)),
    orgs: () => reader.read((sql) => auditedOrgs(sql).map(({ orgId }) => orgId)),
    nextToSeal: (orgId, limit) =>
      reader.readTogether((sql) => ({
        head: findAuditHead(sql, orgId),
        entries: unsealedAuditRecords(sql, orgId, limit),
      })),
    seal: (change) => writer.run("sealAudit", change),
    cut: (change) => writer.run("cutAudit", change),
    erasePerson: (change) => writer.run("eraseAuditPerson", change),
  };
}

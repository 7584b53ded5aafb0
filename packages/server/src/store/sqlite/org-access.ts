import type { OrgAccess } from "../access.ts";
import { pageOfRows } from "./queries/page.ts";
import { findShareLinkRecord, listShareLinkRecords } from "./queries/share-links.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export function orgAccess({
  writer,
  reader,
  orgId,
}: {
  writer: Writer;
  reader: Reader;
  orgId: string;
}): OrgAccess {
  return {
    createShareLink: (change) => writer.run("createShareLink", { orgId, ...change }),
    listShareLinks: (filter) =>
      reader.read((sql) => {
        const rows = listShareLinkRecords(sql, { orgId, ...filter });
        return pageOfRows(rows, filter.limit, ({ id }) => id);
      }),
    findShareLink: (id) => reader.read((sql) => findShareLinkRecord(sql, orgId, id)),
    revokeShareLink: (change) => writer.run("revokeShareLink", { orgId, ...change }),
  };
}

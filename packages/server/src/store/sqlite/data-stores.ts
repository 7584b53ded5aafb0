import { newId } from "../../lib/id.ts";
import type { OrgData, SystemData } from "../data.ts";
import { findErasureRecord, listErasureRecords, listOpenErasures } from "./queries/data/erasures.ts";
import { exportPartNames, readExportRows } from "./queries/data/export-rows.ts";
import { findExportRecord, listExportRecords } from "./queries/data/exports.ts";
import {
  exportsHolding,
  listReferencedBlobs,
  listRetentions,
  listStaleSessions,
  sessionsToErase,
} from "./queries/data/scans.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Rows of a deleted log that one transaction removes. */
const dropSlice = 500;

const byId = ({ id }: { id: string }) => id;

export function orgData({
  writer,
  reader,
  orgId,
}: {
  writer: Writer;
  reader: Reader;
  orgId: string;
}): OrgData {
  return {
    createExport: (change) => writer.run("createExport", { orgId, ...change }),
    findExport: (id) => reader.read((sql) => findExportRecord(sql, orgId, id)),
    listExports: (filter) =>
      reader.read((sql) => pageOfRows(listExportRecords(sql, { orgId, ...filter }), filter.limit, byId)),
    deleteExport: (change) => writer.run("deleteExport", { orgId, ...change }),
    exportParts: exportPartNames,
    exportRows: (range) => reader.read((sql) => readExportRows(sql, { orgId, ...range })),
    listBlobs: (range) => reader.read((sql) => listReferencedBlobs(sql, { orgId, ...range })),
    createErasure: (change) => writer.run("createErasure", { orgId, ...change }),
    findErasure: (id) => reader.read((sql) => findErasureRecord(sql, id, orgId)),
    listErasures: (filter) =>
      reader.read((sql) => pageOfRows(listErasureRecords(sql, { orgId, ...filter }), filter.limit, byId)),
    staleSessions: ({ before, ...scan }) =>
      reader.read((sql) => {
        // An id begins with the time of its making: what was made later was changed later.
        const newest = newId("session", Math.max(before, 0));
        return listStaleSessions(sql, { orgId, before, newest, ...scan });
      }),
    forgetUsage: (slice) => writer.run("forgetUsage", { orgId, ...slice }),
  };
}

export function systemData({ writer, reader }: { writer: Writer; reader: Reader }): SystemData {
  return {
    takeExport: () => writer.run("takeExport", null),
    noteExport: (note) => writer.run("noteExport", note),
    endExport: (end) => writer.run("endExport", end),
    expireExports: (limit) => writer.run("expireExports", { limit }),
    openErasures: (limit) => reader.read((sql) => listOpenErasures(sql, limit)),
    findErasure: (id) => reader.read((sql) => findErasureRecord(sql, id, null)),
    listErasures: (filter) =>
      reader.read((sql) =>
        pageOfRows(listErasureRecords(sql, { orgId: null, ...filter }), filter.limit, byId),
      ),
    sessionsToErase: (erasure, limit) => reader.read((sql) => sessionsToErase(sql, erasure, limit)),
    async eraseSession({ erasure: { orgId, id }, sessionId }) {
      await writer.run("eraseSession", { orgId, erasureId: id, sessionId });
      while ((await writer.run("dropDeadLogs", { limit: dropSlice })) > 0);
    },
    eraseRows: ({ erasure: { orgId, id }, limit }) =>
      writer.run("eraseRows", { orgId, erasureId: id, limit }),
    exportsToErase: (erasure, limit) => reader.read((sql) => exportsHolding(sql, erasure, limit)),
    dropExport: (which) => writer.run("dropExport", which),
    async blobsToErase({ erasure: { orgId, id }, limit }) {
      // A crash may have come between a session and its log.
      while ((await writer.run("dropDeadLogs", { limit: dropSlice })) > 0);
      return writer.run("blobsToErase", { orgId, erasureId: id, limit });
    },
    forgetErasedBlobs: (which) => writer.run("forgetErasedBlobs", which),
    noteErasure: (note) => writer.run("noteErasure", note),
    endErasure: ({ erasure: { orgId, id, toldTo }, audit }) =>
      writer.run("endErasure", { orgId: toldTo, erased: { orgId, id }, audit }),
    truncateLog: () => writer.run("truncateLog", null),
    retentions: () => reader.read((sql) => listRetentions(sql)),
  };
}

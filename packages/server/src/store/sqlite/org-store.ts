import type { Clock } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import type { OrgStore } from "../store.ts";
import { orgAudit } from "./audit-stores.ts";
import { orgData } from "./data-stores.ts";
import { eventBlock, isTooLarge } from "./event-block.ts";
import { orgAccess } from "./org-access.ts";
import { orgBudgets } from "./org-budgets.ts";
import { orgIdentity } from "./org-identity.ts";
import { orgLimits } from "./org-limits.ts";
import { orgSandboxes } from "./sandbox-stores.ts";
import { orgUsage } from "./org-usage.ts";
import { orgModelProviders, orgUserConfig, orgVault } from "./org-vault.ts";
import { findAgentId, findAgentRecord, listAgentRecords, listVersionRecords } from "./queries/agents.ts";
import { findApprovalRecord, listApprovalRecords } from "./queries/approvals.ts";
import { pageOfRows } from "./queries/page.ts";
import { findRunRecord, listRunRecords } from "./queries/runs.ts";
import { countSessionsByStatus, listSessionRecords } from "./queries/session-list.ts";
import { findSessionRow, findSessionRowByKey, sessionRecord } from "./queries/session-row.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Rows of a deleted log that one transaction removes. */
const dropSlice = 500;

/** Organizations whose handles are kept. */
const mostOpen = 2_000;

interface OrgParts {
  readonly writer: Writer;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly orgId: string;
}

type Sessions = Pick<
  OrgStore,
  "createSession" | "findSession" | "findSessionByKey" | "listSessions" | "countSessions" | "deleteSession"
>;
type Agents = Pick<
  OrgStore,
  "createAgent" | "putAgent" | "archiveAgent" | "findAgent" | "listAgents" | "listAgentVersions"
>;
type Listings = Pick<OrgStore, "findRun" | "listRuns" | "findApproval" | "listApprovals">;

const byId = ({ id }: { id: string }) => id;

/** Opens the store for one organization after another; the most recent ones stay open, because each is a hundred closures. */
export function orgStores(parts: Omit<OrgParts, "orgId">): (orgId: string) => OrgStore {
  const open = new Map<string, OrgStore>();
  return (orgId) => {
    const known = open.get(orgId);
    if (known !== undefined) return known;
    if (open.size >= mostOpen) open.clear();
    const made = orgStore({ ...parts, orgId });
    open.set(orgId, made);
    return made;
  };
}

function orgStore(parts: OrgParts): OrgStore {
  return {
    identity: orgIdentity(parts),
    limits: orgLimits(parts),
    vault: orgVault(parts),
    modelProviders: orgModelProviders(parts),
    userConfig: orgUserConfig(parts),
    ...sessions(parts),
    ...agents(parts),
    ...listings(parts),
    access: orgAccess(parts),
    audit: orgAudit(parts),
    data: orgData(parts),
    budgets: orgBudgets(parts),
    usage: orgUsage(parts),
    sandboxes: orgSandboxes(parts),
  };
}

function sessions({ writer, reader, orgId }: OrgParts): Sessions {
  return {
    async createSession({ events, ...session }) {
      if (session.row.orgId !== orgId) {
        throw new BerthError("internal", "a session must be created in the org whose store was opened");
      }
      if (isTooLarge(events))
        throw new BerthError("too_large", "The session's first events are over 16 MiB.");
      const block = eventBlock(events, (session.fork?.seq ?? 0) + 1);
      return writer.run("createSession", { ...session, orgId, block });
    },
    findSession: (id) =>
      reader.read((sql) => {
        const row = findSessionRow(sql, orgId, id);
        return row === undefined ? null : sessionRecord(row);
      }),
    findSessionByKey: (owner, key) =>
      reader.read((sql) => {
        const row = findSessionRowByKey(sql, { orgId, owner, key });
        return row === undefined ? null : sessionRecord(row);
      }),
    listSessions: (filter) =>
      reader.read((sql) => pageOfRows(listSessionRecords(sql, orgId, filter), filter.limit, byId)),
    countSessions: () => reader.read((sql) => countSessionsByStatus(sql, orgId)),
    async deleteSession(id, audit) {
      const deleted = await writer.run("deleteSession", { orgId, sessionId: id, ...(audit && { audit }) });
      // In slices, so that other sessions' appends come in between; prune() finishes what a crash leaves here.
      if (deleted) while ((await writer.run("dropDeadLogs", { limit: dropSlice })) > 0);
      return deleted;
    },
  };
}

function agents({ writer, reader, orgId }: OrgParts): Agents {
  return {
    createAgent: (agent) => writer.run("createAgent", { orgId, ...agent }),
    putAgent: (change) => writer.run("putAgent", { orgId, ...change }),
    archiveAgent: (id, archived, audit) =>
      writer.run("archiveAgent", { orgId, id, archived, ...(audit && { audit }) }),
    findAgent: (idOrName, version) => {
      // Each run looks for its agent: by its id it is one statement without a transaction around it.
      if (idOrName.includes("_"))
        return reader.read((sql) => findAgentRecord(sql, { orgId, id: idOrName, version }));
      return reader.readTogether((sql) => {
        const id = findAgentId(sql, orgId, idOrName);
        return id === null ? null : findAgentRecord(sql, { orgId, id, version });
      });
    },
    listAgents: ({ limit, after, archived = false }) =>
      reader.read((sql) =>
        pageOfRows(listAgentRecords(sql, { orgId, after, archived, limit: limit + 1 }), limit, byId),
      ),
    listAgentVersions: (id, { limit, after }) =>
      reader.read((sql) => {
        const before = after === undefined ? Number.MAX_SAFE_INTEGER : Number(after);
        if (!Number.isSafeInteger(before)) {
          throw new BerthError("cursor_invalid", `${after} is no cursor of this list: begin without one.`);
        }
        const rows = listVersionRecords(sql, { orgId, id, before, limit: limit + 1 });
        return pageOfRows(rows, limit, ({ version }) => String(version));
      }),
  };
}

function listings({ reader, orgId }: OrgParts): Listings {
  return {
    findRun: (id) => reader.read((sql) => findRunRecord(sql, orgId, id)),
    listRuns: (filter) =>
      reader.read((sql) => pageOfRows(listRunRecords(sql, orgId, filter), filter.limit, byId)),
    findApproval: (id) => reader.read((sql) => findApprovalRecord(sql, orgId, id)),
    listApprovals: (filter) =>
      reader.read((sql) => pageOfRows(listApprovalRecords(sql, orgId, filter), filter.limit, byId)),
  };
}

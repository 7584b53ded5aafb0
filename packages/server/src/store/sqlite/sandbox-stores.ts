import type { OrgSandboxes, SystemSandboxes } from "../sandboxes.ts";
import {
  countSharers,
  findAllocation,
  findLastAllocation,
  findOrphanedWorkspaces,
  findWorkspace,
  listAllocations,
  listLeftovers,
  listSessionsIn,
  listWorkspacesOn,
} from "./queries/sandboxes/allocations.ts";
import { countHeld, findSandbox, listSandboxes, liveSandboxes } from "./queries/sandboxes/sandboxes.ts";
import { pageOfRows } from "./queries/page.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Rows that one transaction of prune removes. */
const pruneSlice = 2_000;

const byId = ({ id }: { id: string }) => id;

export function orgSandboxes({ reader, orgId }: { reader: Reader; orgId: string }): OrgSandboxes {
  return {
    list: (filter) => reader.read((sql) => pageOfRows(listSandboxes(sql, orgId, filter), filter.limit, byId)),
    find: (id) =>
      reader.read((sql) => {
        const record = findSandbox(sql, id);
        return record?.orgId === orgId ? record : null;
      }),
    count: (userId) => reader.read((sql) => countHeld(sql, { orgId, userId })),
    sessionsIn: (sandboxId) => reader.read((sql) => listSessionsIn(sql, orgId, sandboxId)),
    listAllocations: (filter) =>
      reader.read((sql) => pageOfRows(listAllocations(sql, orgId, filter), filter.limit, byId)),
    findAllocation: (id) => reader.read((sql) => findAllocation(sql, orgId, id)),
    lastAllocation: (sessionId) => reader.read((sql) => findLastAllocation(sql, orgId, sessionId)),
    workspace: (sessionId) => reader.read((sql) => findWorkspace(sql, orgId, sessionId)),
  };
}

export function systemSandboxes({ writer, reader }: { writer: Writer; reader: Reader }): SystemSandboxes {
  return {
    beat: (instance) => writer.run("beatInstance", instance),
    removeInstance: (instance) => writer.run("removeInstance", instance),
    instances: () =>
      reader.read((sql) =>
        sql<{ id: string; beats: number }>("SELECT id, beats FROM sandbox_instances").all(),
      ),
    deployment: () =>
      reader.read((sql) => {
        const row = sql<{ id: string; generation: number }>("SELECT id, generation FROM deployment").get();
        return `${row?.id ?? "dep"}-${row?.generation ?? 1}`;
      }),
    reserve: (reserve) => writer.run("reserveSandbox", reserve),
    reserveWarm: (sandbox) => writer.run("reserveWarmSandbox", sandbox),
    move: (move) => writer.run("moveSandbox", move),
    activate: (change) => writer.run("activateSandbox", change),
    join: (change) => writer.run("joinSandbox", change),
    leave: (change) => writer.run("leaveSandbox", change),
    notePolicy: (change) => writer.run("noteSandboxPolicy", change),
    touch: (uses) => writer.run("touchSandboxes", uses),
    live: () => reader.read(liveSandboxes),
    find: (id) => reader.read((sql) => findSandbox(sql, id)),
    ensureWorkspace: (workspace) => writer.run("ensureWorkspace", workspace),
    sharers: (workspaceId) => reader.read((sql) => countSharers(sql, workspaceId)),
    removeWorkspace: (place) => writer.run("removeWorkspace", place),
    noteWorkspace: (note) => writer.run("noteWorkspace", note),
    workspacesOn: (page) => reader.read((sql) => listWorkspacesOn(sql, page)),
    beginWorkspaceCopy: (copy) => writer.run("beginWorkspaceCopy", copy),
    cancelWorkspaceCopies: (of) => writer.run("cancelWorkspaceCopies", of),
    moveWorkspace: (move) => writer.run("moveWorkspace", move),
    noteWorkspaceFilled: (place) => writer.run("noteWorkspaceFilled", place),
    leftoverWorkspaces: (host, deployment) => reader.read((sql) => listLeftovers(sql, host, deployment)),
    claimLeftover: (workspaceId) => writer.run("claimLeftover", workspaceId),
    forgetLeftover: (workspaceId) => writer.run("forgetLeftover", workspaceId),
    orphanedWorkspaces: (limit) => reader.read((sql) => findOrphanedWorkspaces(sql, limit)),
    async prune(ages) {
      while ((await writer.run("pruneSandboxes", { ...ages, limit: pruneSlice })) > 0);
    },
  };
}

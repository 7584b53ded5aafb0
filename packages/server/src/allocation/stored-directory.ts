import { BerthError } from "../lib/errors.ts";
import type { Sandbox, SandboxPolicy } from "../sandbox/sandbox.ts";
import type { AllocationRecord as StoredAllocation, SandboxRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { Owners } from "./owners.ts";
import type { AllocationRecord, HeldSandbox, SandboxDirectory, SandboxState } from "./sandbox-directory.ts";
import type { SandboxWish } from "./session-sandboxes.ts";

export interface DirectoryParts {
  readonly context: AllocationContext;
  readonly owners: Owners;
  readonly ending: EndingSandboxes;
  /** A view of an active one as a whole, which reaches what is wished. */
  readonly open: (record: SandboxRecord, wish?: SandboxWish) => Promise<Sandbox>;
}

/** The sandboxes that there are and were, as the store has them. */
export function createStoredDirectory({ context, owners, ending, open }: DirectoryParts): SandboxDirectory {
  const { store, provider, probe } = context;
  const found = async (orgId: string, sandboxId: string): Promise<SandboxRecord> => {
    const record = await store.org(orgId).sandboxes.find(sandboxId);
    if (record === null) throw new BerthError("sandbox_not_found", `There is no sandbox ${sandboxId}.`);
    return record;
  };
  const shown = async (record: SandboxRecord): Promise<HeldSandbox> => heldSandbox(context, record);

  return {
    async list(orgId, { state, ...filter }) {
      const page = await store.org(orgId).sandboxes.list({
        ...filter,
        ...(state !== undefined && { states: storedStates[state] }),
      });
      return { items: await Promise.all(page.items.map(shown)), next: page.next };
    },
    async quota(orgId, userId) {
      const { perUser, perOrg } = await owners.limits(orgId, userId);
      const { ofUser, ofOrg } = await store.org(orgId).sandboxes.count(userId);
      return { user: { used: ofUser, most: perUser }, org: { used: ofOrg, most: perOrg } };
    },
    async find(orgId, sandboxId) {
      const record = await store.org(orgId).sandboxes.find(sandboxId);
      return record === null ? null : await shown(record);
    },
    async allocations(orgId, { isActive, ...filter }) {
      const page = await store.org(orgId).sandboxes.listAllocations({
        ...filter,
        ...(isActive !== undefined && { active: isActive }),
      });
      return { items: page.items.map(allocation), next: page.next };
    },
    async findAllocation(orgId, allocationId) {
      const record = await store.org(orgId).sandboxes.findAllocation(allocationId);
      return record === null ? null : allocation(record);
    },
    async connect(orgId, sandboxId, wish) {
      const record = await found(orgId, sandboxId);
      if (record.state !== "active")
        throw new BerthError("sandbox_not_found", `The sandbox ${sandboxId} is not active.`);
      return await open(record, wish);
    },
    async destroy(orgId, { sandboxId, reason, audit }) {
      const record = await found(orgId, sandboxId);
      await ending.endRow(record, { reason, ...(audit !== undefined && { audit }) });
    },
    async census() {
      const rows = await store.system.sandboxes.live();
      const given = rows.filter(({ orgId }) => orgId !== null);
      const count = (state: SandboxState) =>
        given.filter((row) => storedStates[state].includes(row.state)).length;
      return {
        capabilities: await probe(),
        hosts: await provider.hosts(),
        warm: rows.filter(({ state }) => state === "warm").length,
        live: { creating: count("creating"), active: count("active"), destroying: count("destroying") },
      };
    },
  };
}

const storedStates: Readonly<Record<SandboxState, readonly SandboxRecord["state"][]>> = {
  creating: ["requested", "creating", "claimed"],
  active: ["active"],
  destroying: ["destroying"],
};

async function heldSandbox({ store }: AllocationContext, record: SandboxRecord): Promise<HeldSandbox> {
  const { id, orgId, sessionId, incarnation, template } = record;
  const sessions = orgId === null ? [] : await store.org(orgId).sandboxes.sessionsIn(id);
  return {
    id,
    incarnation,
    template,
    host: record.host ?? "",
    url: record.url ?? "",
    state: record.state === "active" || record.state === "destroying" ? record.state : "creating",
    strategy: record.strategy ?? "Session-Exclusive",
    userId: record.userId ?? "",
    sessions:
      sessions.length > 0 || sessionId === null || record.strategy === "User-Exclusive"
        ? sessions
        : [{ sessionId, folder: null }],
    policy: record.policy as SandboxPolicy,
    createdAt: record.createdAt,
    lastUsedAt: record.lastUsedAt ?? record.createdAt,
    expiresAt: record.expiresAt,
  };
}

function allocation(record: StoredAllocation): AllocationRecord {
  const {
    id,
    sandboxId,
    sandboxUrl,
    userId,
    sessionId,
    createdAt,
    lastUsedAt,
    isActive,
    endedAt,
    endReason,
  } = record;
  const times = { createdAt, lastUsedAt, isActive, endedAt, endReason };
  return { id, sandboxId, sandboxUrl, userId, sessionId, allocationStrategy: record.strategy, ...times };
}

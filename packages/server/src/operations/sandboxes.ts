import type {
  Page,
  SandboxAllocation,
  SandboxInfo,
  SandboxList,
  SandboxMetrics,
  SandboxState,
} from "@berth/contract";
import type { AllocationFilter, AllocationRecord, HeldSandbox } from "../allocation/sandbox-directory.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { SandboxRequest } from "../allocation/session-sandboxes.ts";
import { BerthError } from "../lib/errors.ts";
import type { Capabilities } from "../sandbox/sandbox.ts";
import { sessionFor } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import {
  allocationNotFound,
  heldBy,
  requireOwnFiles,
  requireOwnSandbox,
  sandboxFor,
} from "./sandbox-access.ts";
import { sessionWish } from "./sandbox-agent.ts";
import { unlessStopping } from "./unless-stopping.ts";
import { pageView, timeOrNull, timeText } from "./views.ts";

const connectTries = 3;

interface SandboxQuery {
  readonly limit: number;
  readonly after?: string;
  readonly state?: SandboxState;
  readonly userId?: string;
  readonly sessionId?: string;
}

/** One's own, newest first; with `session:manage` all of the organization. Tells the quotas of who is asked about, too. */
export async function listSandboxes(
  context: OperationsContext,
  principal: Principal,
  query: SandboxQuery,
): Promise<SandboxList> {
  requirePermission(principal, "session:read");
  const { orgId } = principal;
  const userId = heldBy(principal) ?? query.userId;
  const asked = userId ?? principal.id;
  const counted = await context.sandboxDirectory.quota(orgId, asked);
  const quota = counted === null ? null : { userId: asked, ...counted };
  if (query.userId !== undefined && query.userId !== userId) return { items: [], next: null, quota };
  const filter = { ...query, ...(userId !== undefined && { userId }) };
  const capabilities = await context.sandboxes.probe();
  const page = await context.sandboxDirectory.list(orgId, filter);
  return { ...pageView(page, (held) => sandboxView(held, capabilities)), quota };
}

/** Rejects with `sandbox_not_found`. */
export async function getSandbox(
  context: OperationsContext,
  principal: Principal,
  { sandboxId }: { readonly sandboxId: string },
): Promise<SandboxInfo> {
  const held = await sandboxFor({ context, principal, id: sandboxId, permission: "session:read" });
  return sandboxView(held, await context.sandboxes.probe());
}

/** What it uses now. To ask is no use of it. Rejects with `sandbox_not_found`. */
export async function measureSandbox(
  context: OperationsContext,
  principal: Principal,
  { sandboxId }: { readonly sandboxId: string },
): Promise<SandboxMetrics> {
  await sandboxFor({ context, principal, id: sandboxId, permission: "session:read" });
  const sandbox = await context.sandboxDirectory.connect(principal.orgId, sandboxId);
  const { cpuMs, ...figures } = await sandbox.metrics();
  return { ...figures, cpuMs: cpuMs === null ? null : Math.round(cpuMs) };
}

/** The session's sandbox, given to it when it has none. Rejects with `session_not_found`, `sandbox_quota`, `sandbox_capacity`, `sandbox_unavailable`, `sandbox_gone`, `shutting_down`. */
export async function createSandbox(
  context: OperationsContext,
  principal: Principal,
  {
    sessionId,
    waitMs,
    origin,
  }: { readonly sessionId: string; readonly waitMs?: number | undefined; readonly origin: Origin },
): Promise<{ readonly sandbox: SandboxInfo; readonly created: boolean }> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  await requireOwnFiles(context, principal, session);
  const { orgId } = session;
  let given: string | null = null;
  const wish = await sessionWish(context, session);
  const onGiven = ({ sandboxId }: { readonly sandboxId: string }) => void (given = sandboxId);
  const held = await unlessStopping(context, origin.signal, (signal) =>
    connectActive(context, {
      orgId,
      sessionId,
      ...(wish !== undefined && { wish }),
      ...(waitMs !== undefined && { waitMs }),
      onGiven,
      signal,
    }),
  );
  if (given !== null) {
    const told = { action: "sandbox.created", target: { type: "sandbox", id: held.id } };
    const details = { sessionId, strategy: held.strategy };
    await context.store.org(orgId).audit.append(auditDraft(principal, origin, { ...told, details }));
  }
  return { sandbox: sandboxView(held, await context.sandboxes.probe()), created: given !== null };
}

/** One that is taken back the moment it is given is of no use: there is another. Rejects with `sandbox_gone` when that goes on. */
async function connectActive(
  { sandboxes, sandboxDirectory }: OperationsContext,
  request: SandboxRequest,
): Promise<HeldSandbox> {
  for (let left = connectTries; left > 0; left--) {
    const { id } = await sandboxes.connect(request);
    const held = await sandboxDirectory.find(request.orgId, id);
    if (held?.state === "active") return held;
  }
  throw new BerthError("sandbox_gone", "The session's sandbox is taken back as often as it gets one.", {
    retryable: true,
  });
}

/** Ends what runs in it and takes it back from its sessions; their files stay. Rejects with `sandbox_not_found` or `forbidden`. */
export async function destroySandbox(
  context: OperationsContext,
  principal: Principal,
  { sandboxId, origin }: { readonly sandboxId: string; readonly origin: Origin },
): Promise<void> {
  const held = await sandboxFor({ context, principal, id: sandboxId, permission: "session:write" });
  requireOwnSandbox(principal, held, "take it back");
  const [session] = held.sessions;
  const audit = auditDraft(principal, origin, {
    action: "sandbox.destroyed",
    target: { type: "sandbox", id: held.id },
    details: { sessionId: session?.sessionId ?? null, userId: held.userId },
  });
  await context.sandboxDirectory.destroy(principal.orgId, { sandboxId, reason: "destroyed", audit });
}

/** Which session had which sandbox, newest first: one's own; with `session:manage` all of the organization. */
export async function listAllocations(
  context: OperationsContext,
  principal: Principal,
  query: AllocationFilter,
): Promise<Page<SandboxAllocation>> {
  requirePermission(principal, "session:read");
  const userId = heldBy(principal) ?? query.userId;
  if (query.userId !== undefined && query.userId !== userId) return { items: [], next: null };
  const filter = { ...query, ...(userId !== undefined && { userId }) };
  return pageView(await context.sandboxDirectory.allocations(principal.orgId, filter), allocationView);
}

/** Rejects with `allocation_not_found`. */
export async function getAllocation(
  context: OperationsContext,
  principal: Principal,
  { allocationId }: { readonly allocationId: string },
): Promise<SandboxAllocation> {
  requirePermission(principal, "session:read");
  const found = await context.sandboxDirectory.findAllocation(principal.orgId, allocationId);
  const whose = heldBy(principal);
  if (found === null || (whose !== undefined && whose !== found.userId))
    throw allocationNotFound(allocationId);
  return allocationView(found);
}

function sandboxView(held: HeldSandbox, { cgroup, diskQuota }: Capabilities): SandboxInfo {
  const { memoryBytes, cpus, pids, diskBytes, processes } = held.policy.limits;
  return {
    id: held.id,
    url: held.url,
    host: held.host,
    state: held.state,
    allocationStrategy: held.strategy,
    userId: held.userId,
    sessions: held.sessions.map((session) => ({ ...session })),
    limits: { memoryBytes, cpus, pids, diskBytes, processes },
    unenforced: [
      ...(cgroup === "none" ? (["memory", "cpus", "pids"] as const) : []),
      ...(diskQuota === "none" ? (["disk"] as const) : []),
    ],
    egress: held.policy.egress.allow.flatMap(({ host, ports = [] }) =>
      ports.length === 0 ? [host] : ports.map((port) => `${host}:${port}`),
    ),
    createdAt: timeText(held.createdAt),
    lastUsedAt: timeText(held.lastUsedAt),
    expiresAt: timeText(held.expiresAt),
  };
}

function allocationView(record: AllocationRecord): SandboxAllocation {
  return {
    id: record.id,
    sandboxId: record.sandboxId,
    sandboxUrl: record.sandboxUrl,
    userId: record.userId,
    sessionId: record.sessionId,
    allocationStrategy: record.allocationStrategy,
    createdAt: timeText(record.createdAt),
    lastUsedAt: timeText(record.lastUsedAt),
    isActive: record.isActive,
    endedAt: timeOrNull(record.endedAt),
    endReason: record.endReason,
  };
}

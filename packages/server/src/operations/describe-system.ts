import type { Me, SandboxSystem, System } from "@berth/contract";
import type { SandboxCensus } from "../allocation/sandbox-directory.ts";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { OperationsContext } from "./context.ts";
import { timeText } from "./views.ts";

/** What this server is and how it was started. */
export async function describeSystem(context: OperationsContext, principal: Principal): Promise<System> {
  requirePermission(principal, "system:read");
  const { version, mode, coordination, startedAt, config } = context.settings.system;
  const [census, byStatus] = await Promise.all([
    context.sandboxDirectory.census(),
    context.store.org(principal.orgId).countSessions(),
  ]);
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    name: "berth",
    version,
    node: process.version,
    mode,
    store: context.store.kind,
    coordination,
    sandbox: sandboxSection(context.sandboxes.kind, census),
    startedAt: timeText(startedAt),
    memory: { rss, heapUsed, external, arrayBuffers },
    sessions: {
      total: Object.values(byStatus).reduce((sum, count) => sum + count, 0),
      byStatus: { ...byStatus },
    },
    config: config.map((setting) => ({ ...setting })),
  };
}

function sandboxSection(provider: string, { capabilities, hosts, warm, live }: SandboxCensus): SandboxSystem {
  const { isolation, label, reasons, unavailable, cgroup, network, diskQuota, seccomp, pty, ports } =
    capabilities;
  return {
    provider,
    isolation,
    label,
    reasons: [...reasons],
    unavailable: unavailable ?? null,
    capabilities: { cgroup, network, diskQuota, seccomp, pty, ports },
    hosts: hosts.map((host) => ({
      name: host.name,
      healthy: host.healthy,
      draining: host.draining,
      live: host.live,
      freeSlots: host.freeSlots,
      freeMemoryBytes: host.freeMemoryBytes,
      problem: host.problem ?? null,
    })),
    warm,
    live: { ...live },
  };
}

/** Who is calling and what they may do. */
export async function describeMe(context: OperationsContext, principal: Principal): Promise<Me> {
  const { type, id, name, orgId } = principal;
  const org = await context.store.org(orgId).identity.findOrg();
  return {
    principal: { type, id, name },
    org: { id: orgId, slug: org?.slug ?? orgId, name: org?.name ?? orgId },
    permissions: [...principal.permissions].toSorted(),
  };
}

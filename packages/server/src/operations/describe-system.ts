import type { Me, System } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { OperationsContext } from "./context.ts";
import { timeText } from "./views.ts";

/** What this server is and how it was started. */
export async function describeSystem(context: OperationsContext, principal: Principal): Promise<System> {
  requirePermission(principal, "system:read");
  const { version, mode, coordination, startedAt, config } = context.settings.system;
  const [capabilities, byStatus] = await Promise.all([
    context.sandboxes.probe(),
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
    sandbox: {
      provider: context.sandboxes.kind,
      isolation: capabilities.isolation,
      label: capabilities.label,
    },
    startedAt: timeText(startedAt),
    memory: { rss, heapUsed, external, arrayBuffers },
    sessions: {
      total: Object.values(byStatus).reduce((sum, count) => sum + count, 0),
      byStatus: { ...byStatus },
    },
    config: config.map((setting) => ({ ...setting })),
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

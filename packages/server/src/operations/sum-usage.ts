import type { Page, UsageSum } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { UsageFilter, UsageRecord } from "../store/usage.ts";
import { usageView } from "./budget-view.ts";
import type { OperationsContext } from "./context.ts";

/** The days that are looked at unless the caller says otherwise. */
const defaultDays = 30;
const dayMs = 86_400_000;

/** What was used: of the whole organization with usage:read, else of the caller's own sessions. */
export async function sumUsage(
  context: OperationsContext,
  principal: Principal,
  { agent, ...wanted }: Omit<UsageFilter, "agentId"> & { readonly agent?: string },
): Promise<Page<UsageSum>> {
  const everybody = principal.permissions.has("usage:read");
  const own = wanted.owner === undefined || wanted.owner === principal.id;
  if (!everybody) requirePermission(principal, own ? "session:read" : "usage:read");
  const { orgId } = principal;
  const named = agent === undefined ? null : await context.store.org(orgId).findAgent(agent);
  const filter: UsageFilter = {
    ...wanted,
    ...(agent !== undefined && { agentId: named?.id ?? agent }),
    ...(!everybody && { owner: principal.id }),
    ...(wanted.from === undefined &&
      wanted.sessionId === undefined && { from: context.clock.now() - defaultDays * dayMs }),
  };
  const page = await context.store.org(orgId).usage.sum(filter);
  const items: UsageSum[] = [];
  for (const record of page.items) items.push(await shown(context, orgId, filter, record));
  return { items, next: page.next };
}

async function shown(
  context: OperationsContext,
  orgId: string,
  { groupBy }: UsageFilter,
  record: UsageRecord,
): Promise<UsageSum> {
  if (groupBy === "day")
    return usageView({ ...record, key: new Date(Number(record.key)).toISOString().slice(0, 10) }, null);
  const agent = groupBy === "agent" ? await context.store.org(orgId).findAgent(record.key) : null;
  return usageView(record, agent?.definition.name ?? null);
}

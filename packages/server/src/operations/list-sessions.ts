import type { Page, Session } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { SessionFilter } from "../store/store.ts";
import { visibleTo } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { pageView, sessionView } from "./views.ts";

/** Those that the caller may see, newest first; of one agent when its id or name is given. */
export async function listSessions(
  context: OperationsContext,
  principal: Principal,
  { agent, ...rest }: Omit<SessionFilter, "agentId"> & { readonly agent?: string },
): Promise<Page<Session>> {
  requirePermission(principal, "session:read");
  const found = agent === undefined ? undefined : await context.store.org(principal.orgId).findAgent(agent);
  if (found === null) return { items: [], next: null };
  const filter = { ...rest, ...visibleTo(principal), ...(found !== undefined && { agentId: found.id }) };
  return pageView(await context.store.org(principal.orgId).listSessions(filter), sessionView);
}

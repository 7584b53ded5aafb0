import type { Page, Session } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { SessionFilter } from "../store/store.ts";
import type { OperationsContext } from "./context.ts";
import { pageView, sessionView } from "./views.ts";

/** Newest first. */
export async function listSessions(
  context: OperationsContext,
  principal: Principal,
  filter: SessionFilter,
): Promise<Page<Session>> {
  requirePermission(principal, "session:read");
  return pageView(await context.store.org(principal.orgId).listSessions(filter), sessionView);
}

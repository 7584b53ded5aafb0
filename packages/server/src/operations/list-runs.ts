import type { Page, Run, RunStatus } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { runFor, sessionFor, visibleTo } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { pageView, runView } from "./views.ts";

interface RunFilter {
  readonly limit: number;
  readonly after?: string;
  readonly sessionId?: string;
  readonly status?: RunStatus;
}

/** Newest first. */
export async function listRuns(
  context: OperationsContext,
  principal: Principal,
  filter: RunFilter,
): Promise<Page<Run>> {
  requirePermission(principal, "session:read");
  return pageView(
    await context.store.org(principal.orgId).listRuns({ ...filter, ...visibleTo(principal) }),
    runView,
  );
}

/** Newest first. Rejects with `session_not_found`. */
export async function listSessionRuns(
  context: OperationsContext,
  principal: Principal,
  filter: RunFilter & { readonly sessionId: string },
): Promise<Page<Run>> {
  await sessionFor({ context, principal, id: filter.sessionId, permission: "session:read" });
  return listRuns(context, principal, filter);
}

/** Rejects with `run_not_found`. */
export async function getRun(
  context: OperationsContext,
  principal: Principal,
  { runId }: { readonly runId: string },
): Promise<Run> {
  const { run } = await runFor({ context, principal, id: runId, permission: "session:read" });
  return runView(run);
}

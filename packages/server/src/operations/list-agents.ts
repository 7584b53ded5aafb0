import type { Agent, AgentVersion, Page } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { agentFor } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { agentVersionView, agentView, pageView } from "./views.ts";

interface PageRequest {
  readonly limit: number;
  readonly after?: string;
}

export async function listAgents(
  context: OperationsContext,
  principal: Principal,
  filter: PageRequest & { readonly archived?: boolean },
): Promise<Page<Agent>> {
  requirePermission(principal, "agent:read");
  return pageView(await context.store.org(principal.orgId).listAgents(filter), agentView);
}

/** An agent by its id or its name; the newest version unless one is named. Rejects with `agent_not_found`. */
export async function getAgent(
  context: OperationsContext,
  principal: Principal,
  { agentId, version }: { readonly agentId: string; readonly version?: number | undefined },
): Promise<Agent> {
  const wanted = { context, principal, id: agentId, permission: "agent:read" } as const;
  return agentView(await agentFor({ ...wanted, ...(version !== undefined && { version }) }));
}

/** Newest first. Rejects with `agent_not_found`. */
export async function listAgentVersions(
  context: OperationsContext,
  principal: Principal,
  { agentId, ...page }: PageRequest & { readonly agentId: string },
): Promise<Page<AgentVersion>> {
  const { id } = await agentFor({ context, principal, id: agentId, permission: "agent:read" });
  const versions = await context.store.org(principal.orgId).listAgentVersions(id, page);
  return pageView(versions, agentVersionView);
}

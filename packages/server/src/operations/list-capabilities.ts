import type { ModelList, ToolInfo } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import type { OperationsContext } from "./context.ts";
import { toolView } from "./views.ts";

/** The server's own tools, by name. */
export function listTools(context: OperationsContext, principal: Principal): readonly ToolInfo[] {
  requirePermission(principal, "tool:read");
  return context.tools
    .list()
    .map(toolView)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The models that the caller's own sessions can call, as providers list them. One that takes any name answers for more than these. */
export async function listModels(context: OperationsContext, principal: Principal): Promise<ModelList> {
  requirePermission(principal, "model:read");
  const items = await context.models.of({ orgId: principal.orgId, owner: principal.id }).list();
  return { items: [...items], next: null, default: context.settings.system.defaultModel };
}

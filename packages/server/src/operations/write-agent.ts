import type { Agent, AgentDefinition } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { matchesGlob } from "../tools/glob-match.ts";
import { agentFor, agentNotFound } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import { requireAgentPrices } from "./budget-prices.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { invalidBody } from "./invalid-body.ts";
import { agentView } from "./views.ts";

interface Written {
  readonly agent: Agent;
  readonly replayed: boolean;
}

/** Version 1 of an agent. Rejects with `agent_name_taken`, `unknown_tool`, `model_not_priced` or `validation_failed`. */
export async function createAgent(
  context: OperationsContext,
  principal: Principal,
  { definition, origin }: { readonly definition: AgentDefinition; readonly origin: Origin },
): Promise<Written> {
  requirePermission(principal, "agent:write");
  checkDefinition(context, definition);
  const id = newId("agent", context.clock.now());
  await requireAgentPrices(context, { orgId: principal.orgId, owner: principal.id, id, agent: definition });
  const { result, replayed } = await context.store.org(principal.orgId).createAgent({
    id,
    definition,
    audit: auditDraft(principal, origin, {
      action: "agent.created",
      target: { type: "agent", id },
      details: { name: definition.name, model: definition.model },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  const warnings = await warningsOf(context, principal.orgId, definition);
  return { agent: { ...agentView(result), ...warnings }, replayed };
}

/** The next version. Rejects with `agent_not_found`, `version_mismatch` and as creating does. */
export async function putAgent(
  context: OperationsContext,
  principal: Principal,
  request: {
    readonly agentId: string;
    readonly definition: AgentDefinition;
    /** The version that the caller has seen. */
    readonly ifVersion: number | null;
    readonly origin: Origin;
  },
): Promise<Written> {
  const { agentId, definition, ifVersion, origin } = request;
  const { id } = await agentFor({ context, principal, id: agentId, permission: "agent:write" });
  checkDefinition(context, definition);
  await requireAgentPrices(context, { orgId: principal.orgId, owner: principal.id, id, agent: definition });
  const { result, replayed } = await context.store.org(principal.orgId).putAgent({
    id,
    definition,
    audit: auditDraft(principal, origin, {
      action: "agent.updated",
      target: { type: "agent", id },
      details: { name: definition.name, model: definition.model },
    }),
    ...(ifVersion !== null && { ifVersion }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  const warnings = await warningsOf(context, principal.orgId, definition);
  return { agent: { ...agentView(result), ...warnings }, replayed };
}

/** An archived agent starts no new session; its sessions go on. Rejects with `agent_not_found`. */
export async function archiveAgent(
  context: OperationsContext,
  principal: Principal,
  request: { readonly agentId: string; readonly archived: boolean; readonly origin: Origin },
): Promise<Agent> {
  const { agentId, archived, origin } = request;
  const { id } = await agentFor({ context, principal, id: agentId, permission: "agent:write" });
  const audit = auditDraft(principal, origin, {
    action: archived ? "agent.archived" : "agent.unarchived",
    target: { type: "agent", id },
  });
  const agent = await context.store.org(principal.orgId).archiveAgent(id, archived, audit);
  if (agent === null) throw agentNotFound(agentId);
  return agentView(agent);
}

/** What the schema cannot see: tools that there are, client tools that can be told apart and have usable schemas. */
/** What is fine and will not work yet: secrets can be put later. */
async function warningsOf(
  { store }: OperationsContext,
  orgId: string,
  { sandbox }: AgentDefinition,
): Promise<{ readonly warnings?: string[] }> {
  if (sandbox.secrets.length === 0) return {};
  const known = new Set((await store.org(orgId).vault.listSandboxSecrets()).map(({ name }) => name));
  const missing = [...new Set(sandbox.secrets.map(({ secret }) => secret))].filter(
    (name) => !known.has(name),
  );
  if (missing.length === 0) return {};
  const warnings = missing.map(
    (name) =>
      `There is no secret ${name}: no command runs in its sandboxes until berth vault secret put ${name}.`,
  );
  return { warnings };
}

/** What its sandbox may not have on this server. */
function checkSandbox({ settings }: OperationsContext, { sandbox }: AgentDefinition): void {
  for (const name of ["memory", "cpus", "disk"] as const) {
    const [wished, most] = [sandbox[name], settings.sandboxMost[name]];
    if (wished === undefined || wished <= most) continue;
    throw invalidBody(`/sandbox/${name}`, `is above the most that this server gives: ${most}.`);
  }
}

function checkDefinition(context: OperationsContext, definition: AgentDefinition): void {
  const { tools, clientTools } = definition;
  checkSandbox(context, definition);
  const known = context.tools.list().map(({ name }) => name);
  for (const pattern of tools) {
    if (known.some((name) => matchesGlob(pattern, name))) continue;
    throw new BerthError(
      "unknown_tool",
      `There is no tool ${pattern}: GET /api/v1/tools lists what there is.`,
    );
  }
  const names = new Set<string>();
  for (const [index, tool] of clientTools.entries()) {
    const twice = names.has(tool.name) ? "has the name of another client tool." : null;
    const error = twice ?? context.tools.clientToolError(tool);
    if (error !== null) throw invalidBody(`/clientTools/${index}`, error);
    names.add(tool.name);
  }
}

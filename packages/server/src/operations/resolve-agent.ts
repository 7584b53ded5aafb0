import type { AgentRef } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { ModelScope } from "../models/model.ts";
import type { AgentRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

/** The newest version of an agent that a body names. Rejects with `unknown_agent` or `agent_archived`. */
export async function resolveAgent(
  context: OperationsContext,
  orgId: string,
  idOrName: string,
): Promise<AgentRef> {
  const agent = await context.store.org(orgId).findAgent(idOrName);
  if (agent === null) {
    throw new BerthError("unknown_agent", `There is no agent ${idOrName}: make it first, or name another.`);
  }
  if (agent.archived) {
    throw new BerthError(
      "agent_archived",
      `The agent ${idOrName} is archived: take it out of the archive first.`,
    );
  }
  return agentRef(agent);
}

function agentRef({ id, version, definition }: AgentRecord): AgentRef {
  return { id, version, name: definition.name };
}

/** Rejects with `unknown_model` for a model that no provider takes which sessions of this owner can call. */
export async function checkModel(
  context: OperationsContext,
  scope: ModelScope,
  name: string | null | undefined,
): Promise<void> {
  if (name === null || name === undefined) return;
  const models = context.models.of(scope);
  await models.ready();
  if (models.knows(name)) return;
  throw new BerthError(
    "unknown_model",
    `No provider here has the model ${name}: GET /api/v1/models lists what there is.`,
  );
}

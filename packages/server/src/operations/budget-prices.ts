import type { AgentDefinition, BudgetScope } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";

/** Whom calls of one agent's sessions are counted to, as far as it is known. */
export interface Spender {
  readonly orgId: string;
  /** Whose model providers are asked. */
  readonly owner: string;
  readonly agent: Pick<AgentDefinition, "name" | "model" | "fallbackModels">;
  /** What may hold its calls by tokens instead: its organization, agent, user, session, run. */
  readonly targets: readonly { readonly scope: BudgetScope; readonly target: string }[];
}

/** The same for an agent that is written, when a budget of money holds its calls: the organization's or its own. */
export async function requireAgentPrices(
  context: OperationsContext,
  { orgId, owner, id, agent }: Omit<Spender, "targets"> & { readonly id: string },
): Promise<void> {
  const targets = [
    { scope: "org", target: "" },
    { scope: "agent", target: id },
  ] as const;
  const units = await context.store.org(orgId).budgets.limitedUnits(targets);
  if (units.has("usd")) await requirePrices(context, [{ orgId, owner, agent, targets }]);
}

/**
 * Rejects with `model_not_priced` when a budget of money would count calls that nobody knows the price of: each model needs a price, or
 * its calls a budget of tokens that holds them.
 */
export async function requirePrices(context: OperationsContext, spenders: readonly Spender[]): Promise<void> {
  for (const { orgId, owner, agent, targets } of spenders) {
    const models = context.models.of({ orgId, owner });
    await models.ready();
    const unpriced = [agent.model, ...agent.fallbackModels].find(
      (name) => (models.info(name)?.price ?? null) === null,
    );
    if (unpriced === undefined) continue;
    const units = await context.store.org(orgId).budgets.limitedUnits(targets);
    if (units.has("tokens")) continue;
    throw new BerthError(
      "model_not_priced",
      `The agent ${agent.name} may call ${unpriced}, which has no price: give it a price in its provider's configuration, or set a budget of tokens first.`,
      { details: { agent: agent.name, model: unpriced } },
    );
  }
}

import type { BudgetScope } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { AgentRecord, SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";
import type { Spender } from "./budget-prices.ts";

/** What a budget is about, and whose calls it counts. */
export interface BudgetTarget {
  /** Empty for the organization. */
  readonly target: string;
  readonly spenders: readonly Spender[];
}

const agentsAtOnce = 200;

/** Finds what a body names. Rejects with `unknown_target`. */
export async function budgetTarget(
  context: OperationsContext,
  principal: Principal,
  { scope, named }: { readonly scope: BudgetScope; readonly named: string },
): Promise<BudgetTarget> {
  const { orgId } = principal;
  const org = context.store.org(orgId);
  const whole = { scope: "org", target: "" } as const;
  const about = (agent: AgentRecord, owner: string, ...more: Spender["targets"]): Spender => ({
    orgId,
    owner,
    agent: agent.definition,
    targets: [whole, { scope: "agent", target: agent.id }, ...more],
  });
  switch (scope) {
    case "org":
      return {
        target: "",
        spenders: (await allAgents(context, orgId)).map((agent) => about(agent, principal.id)),
      };
    case "user": {
      await requireUser(context, orgId, named);
      const own = { scope, target: named } as const;
      const agents = await allAgents(context, orgId);
      return { target: named, spenders: agents.map((agent) => about(agent, named, own)) };
    }
    case "agent": {
      const agent = await org.findAgent(named);
      if (agent === null) throw unknownTarget(scope, named);
      return { target: agent.id, spenders: [about(agent, principal.id)] };
    }
    case "session": {
      const session = await org.findSession(named);
      if (session === null) throw unknownTarget(scope, named);
      return { target: named, spenders: await ofSession(session, []) };
    }
    case "run": {
      const run = await org.findRun(named);
      const session = run === null ? null : await org.findSession(run.sessionId);
      if (session === null) throw unknownTarget(scope, named);
      return { target: named, spenders: await ofSession(session, [{ scope, target: named }]) };
    }
  }

  async function ofSession(session: SessionRecord, more: Spender["targets"]): Promise<readonly Spender[]> {
    const agent = await org.findAgent(session.agent.id);
    if (agent === null) return [];
    const targets = [
      { scope: "user", target: session.owner },
      { scope: "session", target: session.id },
    ] as const;
    const spender = about(agent, session.owner, ...targets, ...more);
    const model = session.model ?? agent.definition.model;
    return [{ ...spender, agent: { ...agent.definition, model } }];
  }
}

async function allAgents(context: OperationsContext, orgId: string): Promise<readonly AgentRecord[]> {
  const agents: AgentRecord[] = [];
  for (let after: string | null = ""; after !== null;) {
    const page = await context.store
      .org(orgId)
      .listAgents({ limit: agentsAtOnce, ...(after !== "" && { after }) });
    agents.push(...page.items);
    after = page.next;
  }
  return agents;
}

/** People and service accounts own sessions. */
async function requireUser(context: OperationsContext, orgId: string, id: string): Promise<void> {
  const { identity } = context.store.org(orgId);
  const found = id.startsWith("sva_") ? await identity.findServiceAccount(id) : await identity.findMember(id);
  if (found === null) throw unknownTarget("user", id);
}

function unknownTarget(scope: BudgetScope, id: string): BerthError {
  return new BerthError("unknown_target", `There is no ${scope} ${id} here that a budget could be set for.`);
}

import { newId } from "../../../src/lib/id.ts";
import type { AuditDraft } from "../../../src/store/audit.ts";
import type { BudgetRecord, OrgBudgets } from "../../../src/store/budgets.ts";
import type { UsageRecord } from "../../../src/store/usage.ts";
import type { Harness } from "./harness.ts";

type NewBudget = Parameters<OrgBudgets["create"]>[0]["budget"];

export function auditOf(action: string): AuditDraft {
  const actor = { type: "user", id: "usr_test", name: "Tester" } as const;
  const rest = { credential: null, target: null, requestId: null, address: null, details: {} };
  return { id: newId("audit"), actor, action, outcome: "done", ...rest };
}

/** What `h`'s organization may spend: tokens in all, with a pause at the end, unless `change` says otherwise. */
export async function addBudget(
  h: Pick<Harness, "context" | "orgId">,
  change: Partial<NewBudget> & Pick<NewBudget, "amount">,
): Promise<BudgetRecord> {
  const about = { scope: "org", target: "", unit: "tokens", period: "total", onLimit: "pause" } as const;
  const budget = { id: newId("budget"), ...about, warnAt: null, createdBy: "usr_test", ...change };
  const { budgets } = h.context.store.org(h.orgId);
  return (await budgets.create({ budget, audit: auditOf("budget.created") })).result;
}

export async function findBudget(h: Harness, id: string): Promise<BudgetRecord> {
  const found = await h.context.store.org(h.orgId).budgets.find(id);
  if (found === null) throw new Error(`there is no budget ${id}`);
  return found;
}

/** Changes a budget's amount and wakes whoever waits for it, as the operation does. */
export async function raise(h: Harness, id: string, amount: number): Promise<void> {
  const { budgets } = h.context.store.org(h.orgId);
  const changed = await budgets.update({ id, amount, audit: auditOf("budget.updated") });
  for (const { orgId, id: sessionId } of changed?.woken ?? [])
    await h.context.queue.push({ orgId, sessionId });
}

/** The sums of the ledger by the names of models and tools. */
export async function ledger(
  h: Harness,
  groupBy: "model" | "tool" = "model",
): Promise<readonly UsageRecord[]> {
  return (await h.context.store.org(h.orgId).usage.sum({ groupBy, limit: 100 })).items;
}

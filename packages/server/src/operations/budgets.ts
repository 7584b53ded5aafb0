import type {
  AllowBudgetBody,
  Budget,
  BudgetScope,
  BudgetUnit,
  CreateBudgetBody,
  Page,
  UpdateBudgetBody,
} from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import { type BudgetRecord, nanosPerDollar, toNanos, type WokenSession } from "../store/budgets.ts";
import { auditDraft } from "./audit-draft.ts";
import { requirePrices } from "./budget-prices.ts";
import { budgetTarget } from "./budget-target.ts";
import { budgetView } from "./budget-view.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { invalidBody } from "./invalid-body.ts";
import { pageView } from "./views.ts";
import { wakeSession } from "./wake-session.ts";

/** Rejects with `unknown_target` or `model_not_priced`. */
export async function createBudget(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: CreateBudgetBody; readonly origin: Origin },
): Promise<{ readonly budget: Budget; readonly replayed: boolean }> {
  requirePermission(principal, "budget:write");
  const { scope, unit, period, limit, onLimit, warnAt } = body;
  const { target, spenders } = await budgetTarget(context, principal, { scope, named: body.target ?? "" });
  if (unit === "usd" && onLimit !== "warn") await requirePrices(context, spenders);
  const id = newId("budget", context.clock.now());
  const amount = amountOf(unit, limit);
  const { result, replayed } = await context.store.org(principal.orgId).budgets.create({
    budget: { id, scope, target, unit, period, amount, onLimit, warnAt, createdBy: principal.id },
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
    audit: auditDraft(principal, origin, {
      action: "budget.created",
      target: { type: "budget", id },
      details: { scope, target, unit, period, limit, onLimit },
    }),
  });
  return { budget: budgetView(result), replayed };
}

export async function listBudgets(
  context: OperationsContext,
  principal: Principal,
  filter: {
    readonly limit: number;
    readonly after?: string;
    readonly scope?: BudgetScope;
    readonly target?: string;
  },
): Promise<Page<Budget>> {
  requirePermission(principal, "budget:read");
  return pageView(await context.store.org(principal.orgId).budgets.list(filter), budgetView);
}

/** Rejects with `budget_not_found`. */
export async function getBudget(
  context: OperationsContext,
  principal: Principal,
  { budgetId }: { readonly budgetId: string },
): Promise<Budget> {
  requirePermission(principal, "budget:read");
  return budgetView(await find(context, principal, budgetId));
}

interface OfBudget {
  readonly budgetId: string;
  readonly origin: Origin;
}

/** Wakes every run that waits for it. Rejects with `budget_not_found` or `validation_failed`. */
export async function updateBudget(
  context: OperationsContext,
  principal: Principal,
  { budgetId, body, origin }: OfBudget & { readonly body: UpdateBudgetBody },
): Promise<Budget> {
  requirePermission(principal, "budget:write");
  const { unit } = await find(context, principal, budgetId);
  const { limit, onLimit, warnAt } = body;
  const changed = await context.store.org(principal.orgId).budgets.update({
    id: budgetId,
    ...(limit !== undefined && { amount: amountOf(unit, limit) }),
    ...(onLimit !== undefined && { onLimit }),
    ...(warnAt !== undefined && { warnAt }),
    audit: auditDraft(principal, origin, {
      action: "budget.updated",
      target: { type: "budget", id: budgetId },
      details: {
        ...(limit !== undefined && { limit }),
        ...(onLimit !== undefined && { onLimit }),
        ...(warnAt !== undefined && { warnAt }),
      },
    }),
  });
  if (changed === null) throw notFound(budgetId);
  await wake(context, changed.woken);
  return budgetView(changed.budget);
}

/** Wakes every run that waits for it. Rejects with `budget_not_found`. */
export async function removeBudget(
  context: OperationsContext,
  principal: Principal,
  { budgetId, origin }: OfBudget,
): Promise<void> {
  requirePermission(principal, "budget:write");
  const removed = await context.store.org(principal.orgId).budgets.remove({
    id: budgetId,
    audit: auditDraft(principal, origin, {
      action: "budget.removed",
      target: { type: "budget", id: budgetId },
    }),
  });
  if (removed === null) throw notFound(budgetId);
  await wake(context, removed.woken);
}

/** Lets one run go on beyond the budget. Rejects with `budget_not_found`, `unknown_target` for a run that is over, `validation_failed`. */
export async function allowBudget(
  context: OperationsContext,
  principal: Principal,
  { budgetId, body, origin }: OfBudget & { readonly body: AllowBudgetBody },
): Promise<Budget> {
  requirePermission(principal, "budget:write");
  const { unit } = await find(context, principal, budgetId);
  const { runId, amount } = body;
  const allowed = await context.store.org(principal.orgId).budgets.allow({
    id: budgetId,
    runId,
    amount: amountOf(unit, amount),
    audit: auditDraft(principal, origin, {
      action: "budget.allowed",
      target: { type: "budget", id: budgetId },
      details: { runId, amount },
    }),
  });
  if (allowed === null) throw new BerthError("unknown_target", `There is no run ${runId} that is not over.`);
  await wake(context, allowed.woken);
  return budgetView(allowed.budget);
}

function amountOf(unit: BudgetUnit, limit: number): number {
  const amount = unit === "usd" ? (toNanos(limit) ?? 0) : limit;
  if (Number.isSafeInteger(amount)) return amount;
  const most = Math.floor(Number.MAX_SAFE_INTEGER / nanosPerDollar);
  const rule = unit === "usd" ? `must be at most ${most} dollars` : "must be a whole number of tokens";
  throw invalidBody("/limit", `${rule}.`);
}

async function find(context: OperationsContext, principal: Principal, id: string): Promise<BudgetRecord> {
  const found = await context.store.org(principal.orgId).budgets.find(id);
  if (found === null) throw notFound(id);
  return found;
}

async function wake(context: OperationsContext, woken: readonly WokenSession[]): Promise<void> {
  for (const session of woken) await wakeSession(context, session);
}

function notFound(id: string): BerthError {
  return new BerthError("budget_not_found", `There is no budget ${id}.`);
}

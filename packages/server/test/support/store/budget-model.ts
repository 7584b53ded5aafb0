import type { BudgetPeriod, BudgetScope, BudgetUnit } from "@berth/contract";
import { periodStart, type Reserve } from "../../../src/store/budgets.ts";

export interface ModelBudget {
  readonly id: string;
  readonly scope: BudgetScope;
  readonly target: string;
  readonly unit: BudgetUnit;
  readonly period: BudgetPeriod;
  readonly onLimit: "pause" | "deny" | "warn";
  amount: number;
}

/** A call that counts: under way, or in the ledger. */
export interface ModelCall extends Reserve {
  readonly sessionId: string;
}

/** What budgets are to count and to let through, said again in few words: the sums are made anew each time. */
export class BudgetModel {
  readonly budgets: ModelBudget[] = [];
  readonly open: ModelCall[] = [];
  /** `inputTokens` and `cost` are what was really used. */
  readonly ledger: ModelCall[] = [];
  /** The largest call that was ever let through. */
  largest: Readonly<Record<BudgetUnit, number>> = { usd: 0, tokens: 0 };

  spent(budget: ModelBudget, at: number): number {
    return sum(this.ledger, budget, at);
  }

  reserved(budget: ModelBudget, at: number): number {
    return sum(this.open, budget, at);
  }

  /** Why a call must not be made, in the order of budgets; nothing when it may. */
  blocking(call: ModelCall): readonly string[] {
    const held = this.budgets.filter((one) => one.onLimit !== "warn" && counts(one, call));
    return held.flatMap((one) => {
      const spent = this.spent(one, call.at);
      if (spent + this.reserved(one, call.at) < one.amount) return [];
      return [`${one.id} ${spent >= one.amount ? "reached" : "busy"}`];
    });
  }

  begin(call: ModelCall): void {
    this.open.push(call);
    const { usd, tokens } = this.largest;
    this.largest = {
      usd: Math.max(usd, amountOf(call, "usd")),
      tokens: Math.max(tokens, amountOf(call, "tokens")),
    };
  }

  /** A call came to so many tokens, at its own price. */
  end(call: ModelCall, tokens: number): void {
    this.open.splice(this.open.indexOf(call), 1);
    const price = (call.cost ?? 0) / (call.inputTokens + call.outputTokens);
    this.ledger.push({ ...call, inputTokens: tokens, outputTokens: 0, cost: Math.round(price * tokens) });
  }

  /** The session changes hands: what it had under way counts in full. */
  lose(sessionId: string): void {
    for (const call of this.open.filter((one) => one.sessionId === sessionId))
      this.end(call, call.inputTokens + call.outputTokens);
  }
}

function amountOf(call: ModelCall, unit: BudgetUnit): number {
  return unit === "usd" ? (call.cost ?? 0) : call.inputTokens + call.outputTokens;
}

function counts({ scope, target }: ModelBudget, call: ModelCall): boolean {
  switch (scope) {
    case "org":
      return true;
    case "user":
      return target === call.owner;
    case "agent":
      return call.agents.includes(target);
    case "session":
      return target === call.sessionId;
    case "run":
      return target === call.runId;
  }
}

function sum(calls: readonly ModelCall[], budget: ModelBudget, at: number): number {
  const start = periodStart(budget.period, at);
  const counted = calls.filter((one) => counts(budget, one) && periodStart(budget.period, one.at) === start);
  return counted.reduce((total, one) => total + amountOf(one, budget.unit), 0);
}

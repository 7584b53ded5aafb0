import { newId } from "../../lib/id.ts";
import type { AuditDraft } from "../audit.ts";
import type { BudgetRecord, OrgBudgets, Reserve } from "../budgets.ts";
import type { AppendOutcome } from "../store.ts";
import type { LedgerEntry } from "../usage.ts";
import { type HeldSession, noUsage, type Scene } from "./scene.conformance.ts";

type NewBudget = Parameters<OrgBudgets["create"]>[0]["budget"];

export function told(action: string): AuditDraft {
  const actor = { type: "user", id: "usr_1", name: "One" } as const;
  const rest = { credential: null, target: null, requestId: null, address: null, details: {} };
  return { id: newId("audit"), actor, action, outcome: "done", ...rest };
}

/** A budget of 100 tokens in all, for the organization, that pauses; or what `change` says. */
export async function budget(here: Scene, change: Partial<NewBudget> = {}): Promise<BudgetRecord> {
  const about = { scope: "org", target: "", unit: "tokens", period: "total", amount: 100 } as const;
  const rest = { onLimit: "pause", warnAt: null, createdBy: "usr_1" } as const;
  const whole = { id: newId("budget"), ...about, ...rest, ...change };
  return (await here.org.budgets.create({ budget: whole, audit: told("budget.created") })).result;
}

/** Whom a call is counted to unless a test says otherwise. */
const payer = { owner: "usr_1", agents: ["agt_1"], runId: "run_1" } as const;

export function reserve(here: Scene, tokens: number, change: Partial<Reserve> = {}): Reserve {
  const about = { call: newId("step"), at: here.clock.now(), kind: "model", model: "test/model" } as const;
  return { ...about, inputTokens: tokens, outputTokens: 0, cost: tokens * 10, ...payer, ...change };
}

/** The call of a reserve, that came to so many tokens. */
export function spent(call: Reserve, tokens: number, change: Partial<LedgerEntry> = {}): LedgerEntry {
  const { inputTokens: _i, outputTokens: _o, model, ...rest } = call;
  const usage = { ...noUsage, inputTokens: tokens };
  const about = { name: model, usage, cost: tokens * 10, durationMs: 5, ok: true, estimated: false };
  return { ...rest, ...about, ...change };
}

export const begin = (session: HeldSession, ...reserves: Reserve[]): Promise<AppendOutcome> =>
  session.append(1, { reserves });

export const end = (session: HeldSession, ...settles: LedgerEntry[]): Promise<AppendOutcome> =>
  session.append(1, { settles });

/** What is in the way of a commit, as `why`; "ok" or another reason else. */
export function whyNot(outcome: AppendOutcome): string {
  if (outcome.ok) return "ok";
  return outcome.reason === "budget" ? outcome.blocking.map(({ why }) => why).join(" ") : outcome.reason;
}

/** What a budget has counted in its current period. */
export async function counted(
  here: Scene,
  { id }: { id: string },
): Promise<[spent: number, reserved: number]> {
  const found = await here.org.budgets.find(id);
  return [found?.spent ?? Number.NaN, found?.reserved ?? Number.NaN];
}

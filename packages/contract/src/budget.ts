import { z } from "zod";
import { idSchema, timestamp } from "./id.ts";

export const budgetScope = z.enum(["org", "user", "agent", "session", "run"]);
export type BudgetScope = z.infer<typeof budgetScope>;
export const budgetUnit = z.enum(["usd", "tokens"]).describe("US dollars, or input and output tokens");
export type BudgetUnit = z.infer<typeof budgetUnit>;
export const budgetPeriod = z
  .enum(["day", "month", "total"])
  .describe("days and months begin at midnight UTC");
export type BudgetPeriod = z.infer<typeof budgetPeriod>;
export const budgetOnLimit = z
  .enum(["pause", "deny", "warn"])
  .describe("pause: the run waits for more; deny: it ends; warn: it goes on and tells of it");
export type BudgetOnLimit = z.infer<typeof budgetOnLimit>;

/** A budget as an event tells of it. `spent` and `reserved` are of its current period, in its unit. */
export const budgetNotice = z.strictObject({
  budgetId: idSchema("budget"),
  scope: budgetScope,
  target: z.string().nullable(),
  unit: budgetUnit,
  period: budgetPeriod,
  limit: z.number().nonnegative(),
  spent: z.number().nonnegative(),
  onLimit: budgetOnLimit,
  resetsAt: timestamp.nullable(),
});
export type BudgetNotice = z.infer<typeof budgetNotice>;

/** Up to nine million dollars: sums are kept in billionths of one. */
const mostDollars = 9_000_000;
const mostTokens = 1_000_000_000_000;
const limit = z.number().positive().max(mostTokens).describe("in the budget's unit");
const warnAt = z
  .number()
  .gt(0)
  .lt(1)
  .nullable()
  .describe("share of the limit from which on runs are told, for example 0.8; null: never");

function fits({ unit, limit: amount }: { unit: BudgetUnit; limit: number }): boolean {
  return unit === "tokens" ? Number.isInteger(amount) : amount <= mostDollars && amount >= 1e-9;
}
const fitsRule = { message: "must be a whole number of tokens, or at most 9000000 dollars", path: ["limit"] };

/** Body of `POST /budgets`. */
export const createBudgetBody = z
  .strictObject({
    scope: budgetScope,
    target: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("id of the user, agent (or its name), session or run; left out for the organization"),
    unit: budgetUnit,
    period: budgetPeriod,
    limit,
    onLimit: budgetOnLimit.default("pause"),
    warnAt: warnAt.default(null),
  })
  .refine(({ scope, target }) => (scope === "org") === (target === undefined), {
    message: "is needed for every scope but org",
    path: ["target"],
  })
  .refine(fits, fitsRule);
export type CreateBudgetBody = z.infer<typeof createBudgetBody>;
export type CreateBudgetInput = z.input<typeof createBudgetBody>;

/** Body of `PATCH /budgets/{id}`. Whatever is changed, runs that wait for the budget look again. */
export const updateBudgetBody = z
  .strictObject({ limit: limit.optional(), onLimit: budgetOnLimit.optional(), warnAt: warnAt.optional() })
  .refine((body) => Object.keys(body).length > 0, "names nothing to change");
export type UpdateBudgetBody = z.infer<typeof updateBudgetBody>;

/** Body of `POST /budgets/{id}/allowances`: lets one run go on beyond the budget. */
export const allowBudgetBody = z.strictObject({
  runId: idSchema("run"),
  amount: limit.describe("how much more this run may spend from now on, in the budget's unit"),
});
export type AllowBudgetBody = z.infer<typeof allowBudgetBody>;

export const budget = z.strictObject({
  id: idSchema("budget"),
  scope: budgetScope,
  target: z.string().nullable(),
  unit: budgetUnit,
  period: budgetPeriod,
  limit: z.number(),
  onLimit: budgetOnLimit,
  warnAt: z.number().nullable(),
  spent: z.number().describe("in the current period, as the ledger has it"),
  reserved: z.number().describe("the most that the calls under way may come to"),
  remaining: z.number().describe("limit less spent, at least 0"),
  resetsAt: timestamp.nullable().describe("when the next period begins; null: never"),
  waiting: z.int().describe("sessions whose run waits for this budget"),
  createdBy: z.string(),
  createdAt: timestamp,
  updatedAt: timestamp,
});
export type Budget = z.infer<typeof budget>;

import { allowBudgetBody, budget } from "@berth/contract";
import { allowBudget } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { budgetPath } from "../path-params.ts";

export const allowBudgetRoute = endpoint({
  id: "allowBudget",
  method: "post",
  path: "/api/v1/budgets/{budgetId}/allowances",
  tag: "limits",
  summary: "Lets one run go on beyond a budget, as far as it says",
  params: budgetPath,
  body: allowBudgetBody,
  replies: { 200: { description: "The budget, which stays as it is.", schema: budget } },
  problems: ["budget_not_found", "unknown_target"],
  async handle({ operations, principal, params, body, origin }) {
    return { status: 200, body: await allowBudget(operations, principal, { ...params, body, origin }) };
  },
});

import { budget, updateBudgetBody } from "@berth/contract";
import { updateBudget } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { budgetPath } from "../path-params.ts";

export const updateBudgetRoute = endpoint({
  id: "updateBudget",
  method: "patch",
  path: "/api/v1/budgets/{budgetId}",
  tag: "limits",
  summary: "Changes a budget, and lets the runs that wait for it look again",
  params: budgetPath,
  body: updateBudgetBody,
  replies: { 200: { description: "The budget as it is now.", schema: budget } },
  problems: ["budget_not_found"],
  async handle({ operations, principal, params, body, origin }) {
    return { status: 200, body: await updateBudget(operations, principal, { ...params, body, origin }) };
  },
});

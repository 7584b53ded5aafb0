import { removeBudget } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { budgetPath } from "../path-params.ts";

export const removeBudgetRoute = endpoint({
  id: "removeBudget",
  method: "delete",
  path: "/api/v1/budgets/{budgetId}",
  tag: "limits",
  summary: "Removes a budget, and lets the runs that wait for it go on",
  params: budgetPath,
  replies: { 204: { description: "It is gone. What was spent stays in the ledger." } },
  problems: ["budget_not_found"],
  async handle({ operations, principal, params, origin }) {
    await removeBudget(operations, principal, { ...params, origin });
    return { status: 204, body: null };
  },
});

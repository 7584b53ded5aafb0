import { budget } from "@berth/contract";
import { getBudget } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { budgetPath } from "../path-params.ts";

export const getBudgetRoute = endpoint({
  id: "getBudget",
  method: "get",
  path: "/api/v1/budgets/{budgetId}",
  tag: "limits",
  summary: "One budget",
  params: budgetPath,
  replies: { 200: { description: "The budget, with what it counts.", schema: budget } },
  problems: ["budget_not_found"],
  async handle({ operations, principal, params }) {
    return { status: 200, body: await getBudget(operations, principal, params) };
  },
});

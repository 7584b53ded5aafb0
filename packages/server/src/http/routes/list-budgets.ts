import { budget, budgetScope, pageOf } from "@berth/contract";
import { z } from "zod";
import { listBudgets } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { pageQueryOf } from "../page-query.ts";
import { defined } from "../query.ts";

const query = z.strictObject({
  ...pageQueryOf("budget"),
  scope: budgetScope.optional(),
  target: z.string().min(1).max(64).optional().describe("id of the user, agent, session or run"),
});

export const listBudgetsRoute = endpoint({
  id: "listBudgets",
  method: "get",
  path: "/api/v1/budgets",
  tag: "limits",
  summary: "Budgets, newest first, with what is spent of them",
  query,
  replies: { 200: { description: "A page of them.", schema: pageOf(budget) } },
  async handle({ operations, principal, query: filter }) {
    return { status: 200, body: await listBudgets(operations, principal, defined(filter)) };
  },
});

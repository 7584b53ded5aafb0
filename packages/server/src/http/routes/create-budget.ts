import { budget, createBudgetBody } from "@berth/contract";
import { createBudget } from "../../operations/budgets.ts";
import { endpoint } from "../endpoint.ts";
import { replayHeaders } from "../settled-answer.ts";

export const createBudgetRoute = endpoint({
  id: "createBudget",
  method: "post",
  path: "/api/v1/budgets",
  tag: "limits",
  summary: "Sets what may be spent",
  description:
    "By the organization, a user, an agent with its sub-agents, a session or a run. It counts at once what was spent in its current period. A budget of dollars that holds calls back needs models with prices, or a budget of tokens beside it.",
  body: createBudgetBody,
  replies: { 201: { description: "The budget, with what it counts.", schema: budget } },
  problems: ["unknown_target", "model_not_priced"],
  async handle({ operations, principal, body, origin }) {
    const made = await createBudget(operations, principal, { body, origin });
    const headers = { location: `/api/v1/budgets/${made.budget.id}`, ...replayHeaders(made) };
    return { status: 201, body: made.budget, headers };
  },
});

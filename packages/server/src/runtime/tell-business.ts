import type { BudgetNotice, SessionEvent } from "@berth/contract";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** Feeds log lines and metrics from what was committed, so that they never tell of what did not happen. */
export function tellBusiness(telemetry: Telemetry, orgId: string, event: SessionEvent): void {
  const { sessionId, runId, namespace } = event;
  const scope = { orgId, sessionId, runId, namespace };
  switch (event.type) {
    case "run.finished": {
      const { reason, steps, durationMs, error } = event.data;
      return telemetry.runFinished({ ...scope, reason, steps, durationMs, error });
    }
    case "step.finished": {
      const { model, usage, cost } = event.data;
      return telemetry.stepFinished({ ...scope, model, usage, cost });
    }
    case "model.retried": {
      const { model, error, attempt, delayMs } = event.data;
      return telemetry.modelRetried({ ...scope, model, code: error.code, attempt, delayMs });
    }
    case "model.fell_back": {
      const { from, to, error } = event.data;
      return telemetry.modelFellBack({ ...scope, from, to, code: error.code });
    }
    case "approval.requested":
      return telemetry.approvalRequested({
        ...scope,
        approvalId: event.data.approvalId,
        tool: event.data.name,
      });
    case "approval.decided": {
      const outcome = ({ allow: "allowed", deny: "denied", edit: "edited" } as const)[event.data.decision];
      return telemetry.approvalClosed({
        ...scope,
        approvalId: event.data.approvalId,
        outcome,
        decidedBy: event.actor.id,
      });
    }
    case "approval.expired":
      return telemetry.approvalClosed({ ...scope, approvalId: event.data.approvalId, outcome: "expired" });
    case "context.compacted": {
      const { tokensBefore, tokensAfter } = event.data;
      return telemetry.contextCompacted({ ...scope, tokensBefore, tokensAfter });
    }
    case "budget.reached":
      for (const budget of event.data.budgets) telemetry.budgetReached({ ...scope, ...metBudget(budget) });
      return;
    case "budget.warned": {
      const { level, budget } = event.data;
      return telemetry.budgetWarned({ ...scope, ...metBudget(budget), level });
    }
    default:
      return;
  }
}

function metBudget({ budgetId, scope, unit, limit, spent }: BudgetNotice) {
  return { budgetId, scope, unit, limit, spent };
}

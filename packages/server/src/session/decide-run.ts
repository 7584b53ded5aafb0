import type {
  AgentRef,
  BudgetNotice,
  Content,
  ErrorInfo,
  Recovery,
  RunLimits,
  RunReason,
  RunStatus,
} from "@berth/contract";
import type { NewEvent } from "./new-event.ts";
import {
  addUsage,
  type NamespaceState,
  noUsage,
  root,
  type RunState,
  type SessionState,
  type ToolCall,
} from "./state.ts";
import { isResolved } from "./tool-call.ts";

/** The version of everything that a run keeps to its end. */
export interface RunPlan {
  readonly agent: AgentRef;
  readonly model: string;
  readonly limits: RunLimits;
  readonly traceparent?: string;
}

export function startRun(runId: string, plan: RunPlan): NewEvent<"run.started"> {
  const { traceparent, ...kept } = plan;
  return { type: "run.started", runId, data: { ...kept, ...(traceparent !== undefined && { traceparent }) } };
}

/** Text that had been streamed of a block that will not be finished. */
export interface PartialText {
  readonly namespace: string;
  readonly messageId: string;
  readonly blockId: number;
  readonly text: string;
}

export interface Ending {
  readonly reason: RunReason;
  readonly error?: ErrorInfo;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly partials?: readonly PartialText[];
  /** Manifest of the workspace, when this run changed it. */
  readonly manifest?: string;
  /** With reason budget_reached: the budget. */
  readonly budget?: BudgetNotice;
  /** Model names that the caller may change to, for the recovery. */
  readonly otherModels?: readonly string[];
}

/** Ends the run: closes open steps, gives every open call its one result, ends sub-agents from the deepest up, then run.finished. */
export function finishRun(state: SessionState, ending: Ending): readonly NewEvent[] {
  const run = state.run;
  if (run === null) return [];
  const deepestFirst = Object.values(state.namespaces).toSorted((a, b) => b.depth - a.depth);
  const events: NewEvent[] = deepestFirst.flatMap((at) => closeNamespace(at, ending));
  const recovery = recoveryOf(state.sessionId, run, ending);
  const cancelled = events.filter((event) => event.type === "step.finished");
  const usage = cancelled.reduce((sum, event) => addUsage(sum, event.data.usage), run.usage);
  events.push({
    type: "run.finished",
    data: {
      reason: ending.reason,
      usage,
      cost: cancelled.length > 0 ? null : run.cost,
      steps: run.steps,
      durationMs: Math.max(0, ending.now - run.startedAt),
      ...(ending.error !== undefined && { error: ending.error }),
      ...(recovery.length > 0 && { recovery }),
      ...(ending.manifest !== undefined && { manifest: ending.manifest }),
    },
  });
  return events;
}

function closeNamespace(at: NamespaceState, ending: Ending): readonly NewEvent[] {
  const events: NewEvent[] = [];
  for (const { namespace, messageId, blockId, text } of ending.partials ?? []) {
    if (namespace !== at.name || at.step === null || text === "") continue;
    events.push({
      type: "agent.message",
      namespace,
      stepId: at.step.id,
      data: { messageId, blockId, text, partial: true },
    });
  }
  if (at.step !== null) events.push(cancelledStep(at, at.step, ending.now));
  for (const call of at.calls) if (!isResolved(call.state)) events.push(abortedCall(at.name, call));
  if (at.parent !== null) {
    const { namespace, toolUseId } = at.parent;
    const data = { toolUseId, namespace: at.name, reason: ending.reason, result: at.lastText };
    events.push({ type: "subagent.finished", namespace, data });
  }
  return events;
}

function cancelledStep(at: NamespaceState, step: NonNullable<NamespaceState["step"]>, now: number): NewEvent {
  const data = {
    model: step.model,
    usage: { ...noUsage, inputTokens: step.estimatedTokens },
    cost: null,
    ttftMs: null,
    durationMs: Math.max(0, now - step.startedAt),
    finish: "cancelled" as const,
    estimated: true,
  };
  return { type: "step.finished", namespace: at.name, stepId: step.id, data };
}

function abortedCall(namespace: string, call: ToolCall): NewEvent<"agent.tool_result"> {
  const began = call.kind === "server" && call.state === "executing";
  const content = began
    ? "The run ended while this tool was running. It may have had an effect."
    : "The run ended before this call was finished.";
  const { toolUseId, name } = call;
  return {
    type: "agent.tool_result",
    namespace,
    data: { toolUseId, name, ok: false, content, errorType: "aborted", sealed: true },
  };
}

function recoveryOf(sessionId: string, run: RunState, ending: Ending): Recovery[] {
  const retryPath = `/api/v1/runs/${run.id}/retry`;
  const fork = forkBefore(sessionId, run.firstSeq);
  switch (ending.reason) {
    case "limit_reached": {
      const { maxSteps, maxTokens, maxDurationMs, maxCost } = run.limits;
      const limits = {
        ...(maxCost !== undefined && { maxCost: maxCost * 2 }),
        maxSteps: Math.min(1_000, maxSteps * 2),
        maxTokens: maxTokens * 2,
        maxDurationMs: Math.min(7 * 86_400_000, maxDurationMs * 2),
      };
      return [
        {
          action: "raise_limit",
          label: "Go on with twice the limits",
          request: { method: "POST", path: retryPath, body: { limits } },
        },
        fork,
      ];
    }
    case "error":
    case "retries_exhausted": {
      const [other] = ending.otherModels ?? [];
      const change: Recovery[] =
        other === undefined
          ? []
          : [
              {
                action: "change_model",
                label: `Go on with ${other}`,
                request: { method: "POST", path: retryPath, body: { model: other } },
              },
            ];
      return [
        {
          action: "retry",
          label: "Try again from the last safe point",
          request: { method: "POST", path: retryPath, body: {} },
        },
        ...change,
        fork,
      ];
    }
    case "quarantined":
      return [fork];
    case "budget_reached":
      return ending.budget === undefined ? [] : [...raiseBudget(ending.budget, retryPath), fork];
    case "end_turn":
    case "interrupted":
    case "denied":
      return [];
  }
}

function raiseBudget({ budgetId, limit, spent, unit }: BudgetNotice, retryPath: string): Recovery[] {
  const more = 2 * Math.max(limit, spent);
  const amount = unit === "usd" ? `${more} dollars` : `${more} tokens`;
  return [
    {
      action: "raise_limit",
      label: `Raise the budget to ${amount}, then try again`,
      request: { method: "PATCH", path: `/api/v1/budgets/${budgetId}`, body: { limit: more } },
    },
    {
      action: "retry",
      label: "Try again, once there is more",
      request: { method: "POST", path: retryPath, body: {} },
    },
  ];
}

function forkBefore(sessionId: string, firstSeq: number): Recovery {
  const path = `/api/v1/sessions/${sessionId}/fork`;
  return {
    action: "fork",
    label: "Branch off from before this run",
    request: { method: "POST", path, body: { seq: Math.max(1, firstSeq - 1) } },
  };
}

const statuses: Readonly<Record<RunReason, Extract<RunStatus, "completed" | "failed" | "cancelled">>> = {
  end_turn: "completed",
  interrupted: "cancelled",
  denied: "failed",
  error: "failed",
  retries_exhausted: "failed",
  limit_reached: "failed",
  budget_reached: "failed",
  quarantined: "failed",
};

/** Status of a run that ended for a reason. */
export function statusOfReason(reason: RunReason): Extract<RunStatus, "completed" | "failed" | "cancelled"> {
  return statuses[reason];
}

/**
 * What a new holder writes before it goes on with a run that another left in its middle: calls of effect `once` that had started
 * are sealed, because nobody knows how far they came. Empty without a run, or when the run only waits.
 */
export function recover(state: SessionState, epoch: number): readonly NewEvent[] {
  if (state.run === null || state.run.waitingSince !== null) return [];
  const sealed = Object.values(state.namespaces).flatMap((at) =>
    at.calls
      .filter((call) => call.kind === "server" && call.state === "executing")
      .map((call) => ({ at, call })),
  );
  const results = sealed.map(({ at, call }) => interruptedCall(at.name, call));
  const strategy = sealed.length > 0 ? "seal" : "continue";
  const data = { strategy, sealed: sealed.map(({ call }) => call.toolUseId), epoch } as const;
  return [{ type: "session.resumed", actor: { type: "system", id: "runtime" }, data }, ...results];
}

/** The result of a call of effect `once` that had begun and whose own result is lost: nobody knows how far it came. */
export function interruptedCall(namespace: string, call: ToolCall): NewEvent<"agent.tool_result"> {
  const data = {
    toolUseId: call.toolUseId,
    name: call.name,
    ok: false,
    content:
      "The server stopped while this tool was running, so its result is lost. It was not started again.",
    errorType: "interrupted" as const,
    retryable: false,
    note: "It may have had all, some or none of its effect. Look at the state of things before you repeat it.",
    sealed: true,
  };
  return { type: "agent.tool_result", namespace, data };
}

/** The two events of a message that begins a run. */
export function beginWithMessage(
  message: { content: Content; runId: string },
  plan: RunPlan,
): readonly NewEvent[] {
  return [
    {
      type: "user.message",
      namespace: root,
      runId: message.runId,
      data: { content: message.content, runId: message.runId },
    },
    startRun(message.runId, plan),
  ];
}

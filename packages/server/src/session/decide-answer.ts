import type { EventData, ToolContent } from "@berth/contract";
import type { NewEvent } from "./new-event.ts";
import type { PendingApproval, SessionState, ToolCall } from "./state.ts";

interface Approval {
  readonly inputId: string;
  readonly approvalId: string;
  readonly decision: "allow" | "deny" | "edit";
  readonly input?: unknown;
  readonly note?: string | undefined;
  /** Of the new arguments; undefined when they cannot be used. */
  readonly editedHash: string | undefined;
}

/** A decision, if the approval still waits; the first of decision, cancel and expiry in the log wins. */
export function decideApproval(state: SessionState, answer: Approval): readonly NewEvent[] {
  const { inputId, approvalId, decision, note } = answer;
  const waiting = state.approvals[approvalId];
  if (waiting === undefined) {
    const message = "The approval was decided, expired or cancelled before.";
    return [refused(inputId, "already_decided", message, "user.approval", approvalId)];
  }
  const { toolUseId, namespace } = waiting;
  if (decision === "edit" && answer.editedHash === undefined) {
    const message = "The new arguments cannot be used. The call still waits for a decision.";
    return [refused(inputId, "invalid_arguments", message, "user.approval", approvalId)];
  }
  const data = {
    approvalId,
    toolUseId,
    decision,
    ...(decision === "edit" && { input: answer.input, inputHash: answer.editedHash }),
    ...(note !== undefined && { note }),
  };
  const decided: NewEvent = { type: "approval.decided", namespace, inputId, data };
  return decision === "deny"
    ? [decided, denial(state, waiting, "A person refused this call.", note)]
    : [decided];
}

interface ToolResult {
  readonly inputId: string;
  readonly toolUseId: string;
  readonly content: ToolContent;
  readonly ok: boolean;
}

/** The result of a tool that the caller runs, if the run still waits for it. */
export function decideToolResult(state: SessionState, answer: ToolResult): readonly NewEvent[] {
  const { inputId, toolUseId, content, ok } = answer;
  const found = awaitedCall(state, toolUseId);
  if (found === null) {
    const message = "No run waits for this result: it was answered, expired or cancelled before.";
    return [refused(inputId, "already_decided", message, "user.tool_result", toolUseId)];
  }
  const failed = ok ? {} : { errorType: "runtime" as const };
  const data = {
    toolUseId,
    name: found.call.name,
    ok,
    content,
    ...failed,
    executedHash: found.call.inputHash,
  };
  return [{ type: "agent.tool_result", namespace: found.namespace, inputId, data }];
}

interface Timer {
  readonly inputId: string;
  readonly kind: "approval" | "client_tool" | "budget";
  readonly ref: string;
}

/** A time limit that ran out, if what it limits still waits. */
export function decideTimer(state: SessionState, timer: Timer): readonly NewEvent[] {
  const { inputId, kind, ref } = timer;
  const system = { type: "system", id: "timer" } as const;
  if (kind === "budget") return [{ ...releaseBudget(state, { inputId, cause: "period" }), actor: system }];
  const waiting = kind === "approval" ? state.approvals[ref] : undefined;
  if (waiting !== undefined) {
    const { toolUseId, namespace } = waiting;
    const expired: NewEvent = {
      type: "approval.expired",
      namespace,
      inputId,
      actor: system,
      data: { approvalId: ref, toolUseId },
    };
    return [expired, denial(state, waiting, "Nobody decided in time, so this call was not made.")];
  }
  const found = kind === "client_tool" ? awaitedCall(state, ref) : null;
  if (found === null)
    return [
      {
        ...refused(inputId, "already_decided", "What the timer was for is over.", "timer", ref),
        actor: system,
      },
    ];
  const data = {
    toolUseId: ref,
    name: found.call.name,
    ok: false,
    content: "The caller did not answer in time.",
    errorType: "timeout" as const,
    retryable: true,
  };
  return [{ type: "agent.tool_result", namespace: found.namespace, inputId, actor: system, data }];
}

/** There may be more of a budget that the run waits for: it looks again. */
export function releaseBudget(
  state: SessionState,
  released: {
    readonly inputId: string;
    readonly cause: EventData<"budget.released">["cause"];
    readonly budgetId?: string;
  },
): NewEvent {
  const { inputId, cause, budgetId } = released;
  if (state.run === null || state.run.blockedBy === null) {
    const message = "No run of this session waits for a budget any more.";
    return refused(inputId, "already_decided", message, "budget.released", budgetId ?? "period");
  }
  const data = { cause, ...(budgetId !== undefined && { budgetId }) };
  return { type: "budget.released", inputId, data };
}

/** A client tool's call whose result is waited for. */
function awaitedCall(state: SessionState, toolUseId: string): { namespace: string; call: ToolCall } | null {
  for (const at of Object.values(state.namespaces)) {
    const call = at.calls.find((one) => one.toolUseId === toolUseId);
    if (call?.kind === "client" && call.state === "executing") return { namespace: at.name, call };
  }
  return null;
}

function denial(
  state: SessionState,
  approval: PendingApproval,
  content: string,
  note?: string,
): NewEvent<"agent.tool_result"> {
  const { toolUseId, namespace } = approval;
  const call = state.namespaces[namespace]?.calls.find((one) => one.toolUseId === toolUseId);
  const data = {
    toolUseId,
    name: call?.name ?? "",
    ok: false,
    content,
    errorType: "denied" as const,
    retryable: false,
    ...(note !== undefined && { note }),
  };
  return { type: "agent.tool_result", namespace, data };
}

function refused(
  inputId: string,
  code: string,
  message: string,
  inputType: string,
  ref: string,
): NewEvent<"input.refused"> {
  return { type: "input.refused", inputId, data: { code, message, inputType, ref } };
}

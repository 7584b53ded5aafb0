/** States of one tool call. The four at the end are final: the call has its one result. */
export type CallState =
  | "pending"
  | "approval_required"
  | "approved"
  | "executing"
  | "completed"
  | "failed"
  | "denied"
  | "sealed";

export type CallSignal = "ask" | "allow" | "start" | "succeed" | "fail" | "deny" | "seal";

/** Total: every state answers every signal. A signal that a state does not expect leaves it as it is (a fold never throws on what was committed). */
export const callTransitions: Readonly<Record<CallState, Readonly<Record<CallSignal, CallState>>>> = {
  pending: {
    ask: "approval_required",
    allow: "approved",
    start: "executing",
    succeed: "completed",
    fail: "failed",
    deny: "denied",
    seal: "sealed",
  },
  approval_required: {
    ask: "approval_required",
    allow: "approved",
    start: "approval_required",
    succeed: "completed",
    fail: "failed",
    deny: "denied",
    seal: "sealed",
  },
  approved: {
    ask: "approved",
    allow: "approved",
    start: "executing",
    succeed: "completed",
    fail: "failed",
    deny: "denied",
    seal: "sealed",
  },
  executing: {
    ask: "executing",
    allow: "executing",
    start: "executing",
    succeed: "completed",
    fail: "failed",
    deny: "denied",
    seal: "sealed",
  },
  completed: final("completed"),
  failed: final("failed"),
  denied: final("denied"),
  sealed: final("sealed"),
};

function final(state: CallState): Readonly<Record<CallSignal, CallState>> {
  return { ask: state, allow: state, start: state, succeed: state, fail: state, deny: state, seal: state };
}

export function isResolved(state: CallState): boolean {
  return state === "completed" || state === "failed" || state === "denied" || state === "sealed";
}

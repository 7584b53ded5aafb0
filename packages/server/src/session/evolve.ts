import type { SessionEvent } from "@berth/contract";
import { evolveNamespace } from "./evolve-namespace.ts";
import { evolveRun } from "./evolve-run.ts";
import { evolveSession } from "./evolve-session.ts";
import { isWaiting } from "./next-step.ts";
import type { SessionState } from "./state.ts";

/**
 * The state after one more event of the effective log. Total over event types and never throws for an event that was committed.
 * `session.rewound` is applied to the state at its `toSeq` (see fold).
 */
export function evolve(before: SessionState, event: SessionEvent): SessionState {
  const after = evolveOne({ ...before, seq: event.seq }, event);
  return after.run === null ? after : noteWaiting(after, after.run, Date.parse(event.at));
}

function evolveOne(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "session.created":
    case "session.updated":
    case "session.forked":
    case "session.rewound":
    case "session.archived":
    case "todo.changed":
    case "file.changed":
      return evolveSession(state, event);
    case "run.started":
    case "run.finished":
    case "approval.requested":
    case "approval.decided":
    case "approval.expired":
    case "budget.reached":
    case "budget.released":
    case "budget.warned":
      return evolveRun(state, event);
    case "user.message":
    case "system.message":
    case "step.started":
    case "step.finished":
    case "agent.thinking":
    case "agent.message":
    case "agent.tool_use":
    case "agent.tool_started":
    case "agent.tool_result":
    case "subagent.started":
    case "subagent.finished":
    case "input.requested":
    case "context.compacted":
      return evolveNamespace(state, event);
    case "session.resumed":
    case "user.interrupt":
    case "input.refused":
    case "model.retried":
    case "model.fell_back":
    case "sandbox.allocated":
    case "sandbox.released":
    case "error":
      return state;
  }
}

/** Keeps the run's account of time that was spent only waiting for people. */
function noteWaiting(state: SessionState, run: NonNullable<SessionState["run"]>, at: number): SessionState {
  const { waitingSince } = run;
  if (isWaiting(state))
    return waitingSince === null ? { ...state, run: { ...run, waitingSince: at } } : state;
  if (waitingSince === null) return state;
  const waitedMs = run.waitedMs + Math.max(0, at - waitingSince);
  return { ...state, run: { ...run, waitingSince: null, waitedMs } };
}

import type { Content } from "@berth/contract";
import { beginRun, type MailboxInput, refuse, sign, type Taken } from "./decide-input.ts";
import { finishRun, type PartialText, type RunPlan } from "./decide-run.ts";
import { isUndone, type RewindRange } from "./fold.ts";
import { filesBackAt } from "./known-files.ts";
import type { NewEvent } from "./new-event.ts";
import { isStepBoundary } from "./next-step.ts";
import { addUsage, type SessionState } from "./state.ts";

export interface RewindContext {
  readonly now: number;
  readonly partials: readonly PartialText[];
  /** The state at the target, folded from the effective log. Null when the log does not reach there. */
  readonly target: SessionState | null;
  readonly rewinds: readonly RewindRange[];
  /** Calls in the undone range that started and whose effects reach outside the workspace. */
  readonly outsideEffects: readonly { toolUseId: string; name: string; seq: number }[];
}

/**
 * True when the conversation can be cut at the target: visible in the effective log, between two steps, and in this session's own
 * part of the log (before that it is another session's, with its own owner and key).
 */
export function isSafePoint(
  toSeq: number,
  now: Pick<SessionState, "sessionId">,
  context: Pick<RewindContext, "target" | "rewinds">,
): boolean {
  const { target, rewinds } = context;
  if (target?.seq !== toSeq || target.sessionId !== now.sessionId) return false;
  return !isUndone(toSeq, rewinds) && isStepBoundary(target);
}

/** Ends the run if one goes on, then rewinds. */
export function decideRewind(state: SessionState, input: MailboxInput, context: RewindContext): Taken {
  if (input.body.type !== "session.rewind") return { events: [], taken: [] };
  const { toSeq } = input.body;
  const { target } = context;
  if (target === null || !isSafePoint(toSeq, state, context)) {
    const message =
      "The session can only be rewound to a place between two steps that was not itself undone.";
    const refused = refuse(input, "not_a_safe_point", message, String(toSeq));
    return { events: sign([refused], input), taken: [input.id] };
  }
  const ended = cancelRun(state, context);
  const back = rewound({ state, target, ended, cause: "rewind", context });
  return { events: sign([...ended, { ...back, inputId: input.id }], input), taken: [input.id] };
}

/**
 * A message with `onBusy: rollback` while a run goes on: cancel it, rewind to before its message, take the new one.
 * Given any other target the cancelled run stays in the conversation: a rollback never undoes more than its run.
 */
export function decideRollback(
  state: SessionState,
  input: MailboxInput & { readonly content: Content },
  context: RewindContext & { readonly plan: RunPlan },
): Taken {
  const { target } = context;
  const events = [...cancelRun(state, context)];
  const before = (state.run?.firstSeq ?? 0) - 1;
  if (target !== null && isSafePoint(before, state, context)) {
    const back = rewound({ state, target, ended: events, cause: "rollback", context });
    events.push({ ...back, actor: input.actor });
  }
  events.push(...beginRun(input, context.plan));
  return { events: sign(events, input), taken: [input.id] };
}

function cancelRun(state: SessionState, context: RewindContext): readonly NewEvent[] {
  return finishRun(state, { reason: "interrupted", now: context.now, partials: context.partials });
}

function rewound(back: {
  readonly state: SessionState;
  readonly target: SessionState;
  readonly ended: readonly NewEvent[];
  readonly cause: "rewind" | "rollback";
  readonly context: RewindContext;
}): NewEvent<"session.rewound"> {
  const { manifest } = back.target;
  const data = {
    toSeq: back.target.seq,
    cause: back.cause,
    manifest: manifest?.hash ?? null,
    manifestSeq: manifest?.seq ?? null,
    files: filesBackAt(back.target),
    usage: back.ended.reduce(addSpent, back.state.usage),
    outsideEffects: [...back.context.outsideEffects],
  };
  return { type: "session.rewound", data };
}

function addSpent(sum: SessionState["usage"], event: NewEvent): SessionState["usage"] {
  return event.type === "step.finished" ? addUsage(sum, event.data.usage) : sum;
}

import type { Content } from "@berth/contract";
import { type MailboxInput, refuse, type Taken } from "./decide-input.ts";
import { beginWithMessage, finishRun, type PartialText, type RunPlan } from "./decide-run.ts";
import { isUndone, type RewindRange } from "./fold.ts";
import type { NewEvent } from "./new-event.ts";
import { isStepBoundary } from "./next-step.ts";
import type { SessionState } from "./state.ts";

export interface RewindContext {
  readonly now: number;
  readonly partials: readonly PartialText[];
  /** The state at the target, folded from the effective log. Null when the log does not reach there. */
  readonly target: SessionState | null;
  readonly rewinds: readonly RewindRange[];
  /** Calls in the undone range that started and whose effects reach outside the workspace. */
  readonly outsideEffects: readonly { toolUseId: string; name: string; seq: number }[];
}

/** True when the conversation can be cut at the target: visible in the effective log, and between two steps. */
export function isSafePoint(
  toSeq: number,
  now: SessionState,
  context: Pick<RewindContext, "target" | "rewinds">,
): boolean {
  const { target, rewinds } = context;
  if (target === null || target.seq !== toSeq || toSeq < 1 || toSeq > now.seq) return false;
  return !isUndone(toSeq, rewinds) && isStepBoundary(target);
}

/** Ends the run if one goes on, then rewinds. */
export function decideRewind(state: SessionState, input: MailboxInput, context: RewindContext): Taken {
  const taken = [input.id];
  if (input.body.type !== "session.rewind") return { events: [], taken: [] };
  const { toSeq } = input.body;
  if (!isSafePoint(toSeq, state, context)) {
    const message =
      "The session can only be rewound to a place between two steps that was not itself undone.";
    return {
      taken,
      events: [{ ...refuse(input, "not_a_safe_point", message, String(toSeq)), actor: input.actor }],
    };
  }
  const ended = finishRun(state, { reason: "interrupted", now: context.now, partials: context.partials });
  return {
    taken,
    events: [
      ...ended,
      { ...rewound(state, ended, toSeq, "rewind", context), inputId: input.id, actor: input.actor },
    ],
  };
}

/** A message with `onBusy: rollback` while a run goes on: cancel it, rewind to before its message, take the new one. */
export function decideRollback(
  state: SessionState,
  input: MailboxInput & { readonly content: Content },
  context: RewindContext & { readonly plan: RunPlan },
): Taken {
  const ended = finishRun(state, { reason: "interrupted", now: context.now, partials: context.partials });
  const toSeq = context.target?.seq ?? state.seq;
  const back = rewound(state, ended, toSeq, "rollback", context);
  const [message, started] = beginWithMessage(
    { content: input.content, runId: input.runId ?? input.id },
    context.plan,
  );
  const spoken = { ...message, inputId: input.id, actor: input.actor } as NewEvent;
  return {
    taken: [input.id],
    events: [...ended, { ...back, actor: input.actor }, spoken, started as NewEvent],
  };
}

function rewound(
  state: SessionState,
  ended: readonly NewEvent[],
  toSeq: number,
  cause: "rewind" | "rollback",
  context: RewindContext,
): NewEvent<"session.rewound"> {
  const manifest = context.target?.manifest ?? null;
  const data = {
    toSeq,
    cause,
    manifest: manifest?.hash ?? null,
    manifestSeq: manifest?.seq ?? null,
    usage: ended.reduce(addUsageOf, state.usage),
    outsideEffects: [...context.outsideEffects],
  };
  return { type: "session.rewound", data };
}

function addUsageOf(sum: SessionState["usage"], event: NewEvent): SessionState["usage"] {
  if (event.type !== "step.finished") return sum;
  const { usage } = event.data;
  return {
    ...sum,
    inputTokens: sum.inputTokens + usage.inputTokens,
    outputTokens: sum.outputTokens + usage.outputTokens,
  };
}

import type { Actor, Content, InputBody } from "@berth/contract";
import { beginWithMessage, finishRun, type PartialText, type RunPlan, startRun } from "./decide-run.ts";
import { decideApproval, decideTimer, decideToolResult, releaseBudget } from "./decide-answer.ts";
import type { NewEvent } from "./new-event.ts";
import { isStepBoundary } from "./next-step.ts";
import type { SessionState } from "./state.ts";

/** An input of the mailbox, as the core sees it. */
export interface MailboxInput {
  readonly id: string;
  readonly lane: "control" | "steer" | "queue";
  readonly body: InputBody;
  readonly runId: string | null;
  readonly actor: Actor;
}

export interface InputContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** For an input that begins a run. */
  readonly plan: RunPlan;
  /** The whole mailbox, for an interrupt of a run that is queued. */
  readonly mailbox: readonly MailboxInput[];
  readonly partials: readonly PartialText[];
  /** Manifest of the workspace now, when the current run changed it and this input ends it. */
  readonly manifest?: string;
  /** Hash of the new arguments of an approval with decision edit; absent when they cannot be used. */
  readonly editedHash?: string;
  /** Result of the effect of a file input, when it failed. */
  readonly fileError?: { readonly code: string; readonly message: string };
}

export interface Taken {
  readonly events: readonly NewEvent[];
  /** Ids of the inputs that these events answer. */
  readonly taken: readonly string[];
}

/** True when the mailbox's next input may be taken in this state; control inputs always may. */
export function mayTake(state: SessionState, input: MailboxInput): boolean {
  if (input.lane === "control" || state.run === null) return true;
  return input.lane === "steer" && isStepBoundary(state);
}

/** The first input that may be taken, in the order of lanes and of acceptance; null when all have to wait. */
export function nextInput<T extends MailboxInput>(state: SessionState, mailbox: readonly T[]): T | null {
  return mailbox.find((input) => mayTake(state, input)) ?? null;
}

/** Events that take one input. Rewinds and rollbacks need the log and are decided in decide-rewind.ts. */
export function decideInput(state: SessionState, input: MailboxInput, context: InputContext): Taken {
  const events = sign(answer(state, input, context), input);
  const others = events.flatMap(({ inputId }) =>
    inputId === undefined || inputId === input.id ? [] : [inputId],
  );
  return { events, taken: [input.id, ...others] };
}

/** What the input said is its sender's; what follows from it is the core's. */
export function sign(events: readonly NewEvent[], input: MailboxInput): readonly NewEvent[] {
  const core: Actor = { type: "system", id: "core" };
  return events.map((event) => ({
    ...event,
    actor: event.actor ?? (event.inputId === input.id ? input.actor : core),
  }));
}

/** The run that an input would begin. It is minted at acceptance; one without gets an id that follows from its own. */
function runIdOf(input: Pick<MailboxInput, "id" | "runId">): string {
  return input.runId ?? input.id.replace(/^inp_/, "run_");
}

function answer(state: SessionState, input: MailboxInput, context: InputContext): readonly NewEvent[] {
  const { body, id: inputId } = input;
  switch (body.type) {
    case "user.message":
      return takeMessage(state, { ...input, content: body.content }, context);
    case "system.message":
      if (state.archived) return [refuse(input, "session_archived", "The session is archived.")];
      return [{ type: "system.message", inputId, data: { content: body.content } }];
    case "user.interrupt":
      return interrupt(state, { ...input, body }, context);
    case "user.approval":
      return decideApproval(state, { ...body, inputId, editedHash: context.editedHash });
    case "user.tool_result":
      return decideToolResult(state, { ...body, inputId });
    case "timer":
      return decideTimer(state, { ...body, inputId });
    case "budget.released":
      return [releaseBudget(state, { ...body, inputId })];
    case "run.retry":
      return retry(state, { ...input, body }, context);
    case "session.update": {
      const { type: _, ...data } = body;
      return [{ type: "session.updated", inputId, data }];
    }
    case "session.archive":
      return [
        ...(body.archived ? endRun(state, context) : []),
        { type: "session.archived", inputId, data: { archived: body.archived } },
      ];
    case "todo.write":
      return [{ type: "todo.changed", inputId, data: { todos: body.todos } }];
    case "file.write":
    case "file.delete":
    case "file.move":
      return [
        context.fileError
          ? refuse(input, context.fileError.code, context.fileError.message)
          : fileChanged(inputId, body),
      ];
    case "session.rewind":
      return [
        refuse(input, "not_a_safe_point", "The session could not be rewound there.", String(body.toSeq)),
      ];
  }
}

function takeMessage(
  state: SessionState,
  input: MailboxInput & { content: Content },
  context: InputContext,
): readonly NewEvent[] {
  if (state.archived) return [refuseRun(input, "session_archived", "The session is archived.")];
  const running = state.run;
  if (input.lane === "steer" && running !== null) {
    const data = { content: input.content, runId: running.id, steered: true };
    return [{ type: "user.message", inputId: input.id, data }];
  }
  return [...endRun(state, context), ...beginRun(input, context.plan)];
}

/** The message that an input is, and the run that it begins. */
export function beginRun(
  input: MailboxInput & { readonly content: Content },
  plan: RunPlan,
): readonly NewEvent[] {
  const begun = beginWithMessage({ content: input.content, runId: runIdOf(input) }, plan);
  return begun.map((event) => (event.type === "user.message" ? { ...event, inputId: input.id } : event));
}

function endRun(state: SessionState, context: InputContext): readonly NewEvent[] {
  const { now, partials, manifest } = context;
  return finishRun(state, {
    reason: "interrupted",
    now,
    partials,
    ...(manifest !== undefined && { manifest }),
  });
}

type Of<T extends InputBody["type"]> = MailboxInput & { readonly body: Extract<InputBody, { type: T }> };

function interrupt(
  state: SessionState,
  input: Of<"user.interrupt">,
  context: InputContext,
): readonly NewEvent[] {
  const { runId, reason } = input.body;
  const data = reason === undefined ? {} : { reason };
  const interrupted: NewEvent = { type: "user.interrupt", inputId: input.id, data };
  if (state.run !== null && (runId === undefined || runId === state.run.id))
    return [interrupted, ...endRun(state, context)];
  const queued = context.mailbox.find((other) => runId !== undefined && other.runId === runId);
  if (runId === undefined || queued === undefined)
    return [
      refuse(input, "run_not_running", "There is no such run to interrupt: it is over or never was.", runId),
    ];
  return [
    { ...interrupted, runId },
    refuseRun(queued, "cancelled", "The run was cancelled before it began."),
  ];
}

function retry(state: SessionState, input: Of<"run.retry">, context: InputContext): readonly NewEvent[] {
  if (state.archived) return [refuseRun(input, "session_archived", "The session is archived.")];
  if (state.run !== null || state.lastRun?.id !== input.body.runId) {
    const message = "Only the session's last run can be tried again, once it is over.";
    return [refuseRun(input, "not_the_last_run", message)];
  }
  return [{ ...startRun(runIdOf(input), context.plan), inputId: input.id }];
}

function fileChanged(
  inputId: string,
  body: Extract<InputBody, { type: "file.write" | "file.delete" | "file.move" }>,
): NewEvent<"file.changed"> {
  const { path } = body;
  if (body.type === "file.delete")
    return { type: "file.changed", inputId, data: { path, change: "deleted" } };
  if (body.type === "file.move")
    return { type: "file.changed", inputId, data: { path, change: "moved", to: body.to } };
  const { hash, size, mediaType } = body;
  const blob = { hash, size, ...(mediaType !== undefined && { mediaType }) };
  return { type: "file.changed", inputId, data: { path, change: "written", blob } };
}

/** The event of an input that could not be done. */
export function refuse(
  input: { readonly id: string; readonly body: { readonly type: string } },
  code: string,
  message: string,
  ref?: string,
): NewEvent<"input.refused"> {
  const data = { code, message, inputType: input.body.type, ...(ref !== undefined && { ref }) };
  return { type: "input.refused", inputId: input.id, data };
}

/** The same of an input whose run will not begin: the event is that run's, and is about it. */
function refuseRun(input: MailboxInput, code: string, message: string): NewEvent<"input.refused"> {
  const runId = runIdOf(input);
  return { ...refuse(input, code, message, runId), runId };
}

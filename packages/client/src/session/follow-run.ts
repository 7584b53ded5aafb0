import type { AcceptedInput, Session } from "@berth/contract";
import { BerthInputRefusedError } from "../error.ts";
import type { FollowedEvent } from "../event-frame.ts";
import { type Answers, createResponder } from "./responder.ts";
import type { RunHandlers, RunResult } from "./run-options.ts";
import { createResultBuilder } from "./run-result.ts";

export interface RunSource {
  /** Events after a cursor (null: all), until the signal aborts. */
  events(after: string | null, signal: AbortSignal): AsyncIterable<FollowedEvent>;
  readonly answers: Answers;
  /** As it was before the first event is read: up to its `lastSeq`, what is asked may have been answered already. */
  readonly session: Session;
}

/** Watches a run to its end, answering what it asks. Resolves with its result, whether it went well or not. */
export async function followRun(
  source: RunSource,
  target: { readonly input?: AcceptedInput; readonly runId: string | null; readonly after: string | null },
  handlers: RunHandlers,
): Promise<RunResult> {
  const stop = new AbortController();
  const signal =
    handlers.signal === undefined ? stop.signal : AbortSignal.any([handlers.signal, stop.signal]);
  let failure: { readonly error: unknown } | null = null;
  const responder = createResponder(handlers, source.answers, (error) => {
    failure = { error };
    stop.abort();
  });
  try {
    const result = await watch(source, target, { handlers, responder, signal });
    if (result !== null) return result;
  } finally {
    responder.stop();
    stop.abort();
  }
  if (failure !== null) throw (failure as { error: unknown }).error;
  handlers.signal?.throwIfAborted();
  throw new Error("The session ended before the run did: it was archived or deleted.");
}

async function watch(
  source: RunSource,
  target: Parameters<typeof followRun>[1],
  at: { handlers: RunHandlers; responder: ReturnType<typeof createResponder>; signal: AbortSignal },
): Promise<RunResult | null> {
  let { runId } = target;
  const result = createResultBuilder();
  for await (const event of source.events(target.after, at.signal)) {
    at.handlers.onEvent?.(event);
    if ("inputId" in event && event.inputId !== undefined && event.inputId === target.input?.id) {
      if (event.type === "input.refused")
        throw new BerthInputRefusedError({ ...event.data, inputId: event.inputId });
      // A message that steers joins the run that goes on.
      if (event.type === "user.message") runId = event.runId ?? event.data.runId;
    }
    if (event.runId !== undefined && event.runId === runId) {
      result.take(event);
      at.responder.take(event);
      if (event.type === "run.finished") return result.finish(event);
    }
    if ("seq" in event && event.seq >= source.session.lastSeq) at.responder.start();
  }
  return null;
}

import type { Actor, EventData, PersistedType, SessionEvent } from "@berth/contract";
import { root, type SessionState } from "./state.ts";
import { versionOf } from "./upcast.ts";

/** An event before it has its place in the log. */
export type NewEvent<T extends PersistedType = PersistedType> = {
  [K in T]: {
    readonly type: K;
    readonly data: EventData<K>;
    readonly namespace?: string;
    readonly runId?: string;
    readonly stepId?: string;
    readonly inputId?: string;
    readonly actor?: Actor;
  };
}[T];

/** Gives events their place after a state: seq, time, session, run. Who wrote them is the session's agent unless they say otherwise. */
export function stamp(
  place: { sessionId: string; seq: number; runId: string | null; agentId: string },
  events: readonly NewEvent[],
  at: string,
): readonly SessionEvent[] {
  let seq = place.seq;
  let runId = place.runId;
  return events.map((event) => {
    seq += 1;
    const ownRunId = event.runId ?? runId;
    const stamped = {
      seq,
      type: event.type,
      at,
      sessionId: place.sessionId,
      ...(ownRunId !== null && { runId: ownRunId }),
      ...(event.stepId !== undefined && { stepId: event.stepId }),
      namespace: event.namespace ?? root,
      ...(event.inputId !== undefined && { inputId: event.inputId }),
      actor: event.actor ?? { type: "agent", id: place.agentId },
      data: event.data,
      v: versionOf(event.type),
    } as SessionEvent;
    if (event.type === "run.started") runId = ownRunId;
    if (event.type === "run.finished") runId = null;
    return stamped;
  });
}

/** The place after a state. */
export function placeOf(state: SessionState): {
  sessionId: string;
  seq: number;
  runId: string | null;
  agentId: string;
} {
  return {
    sessionId: state.sessionId,
    seq: state.seq,
    runId: state.run?.id ?? null,
    agentId: state.agent.id,
  };
}

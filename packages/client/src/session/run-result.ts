import type { RunReason, SessionEvent } from "@berth/contract";
import type { FollowedEvent } from "../event-frame.ts";
import type { RunResult, ToolCall } from "./run-options.ts";

/** Gathers a run's result from its events. */
export interface ResultBuilder {
  take(event: FollowedEvent): void;
  finish(event: SessionEvent<"run.finished">): RunResult;
}

export function createResultBuilder(): ResultBuilder {
  const calls = new Map<string, ToolCall>();
  let message = { id: "", text: "" };
  return {
    take(event) {
      if (event.type === "agent.message" && event.namespace === "") {
        const { messageId: id, text } = event.data;
        message = { id, text: id === message.id ? message.text + text : text };
      } else if (event.type === "agent.tool_use") {
        const { toolUseId, name, input } = event.data;
        calls.set(toolUseId, { toolUseId, name, namespace: event.namespace, input, ok: null, content: null });
      } else if (event.type === "agent.tool_result") {
        const { toolUseId, ok, content } = event.data;
        const call = calls.get(toolUseId);
        if (call !== undefined) calls.set(toolUseId, { ...call, ok, content });
      }
    },
    finish({ sessionId, runId, data }) {
      const { reason, usage, cost, steps, durationMs, error = null, recovery = [] } = data;
      const status = statusOf(reason);
      return {
        sessionId,
        text: message.text,
        run: { id: runId ?? "", status, reason, usage, cost, steps, durationMs, error, recovery },
        toolCalls: [...calls.values()],
      };
    },
  };
}

/** Status of a run that ended for a reason. */
function statusOf(reason: RunReason): "completed" | "failed" | "cancelled" {
  if (reason === "end_turn") return "completed";
  return reason === "interrupted" ? "cancelled" : "failed";
}

import type { LiveData } from "@berth/contract";
import { type SessionState } from "./state.ts";
import { isResolved } from "./tool-call.ts";

export type Breakpoint = LiveData<"breakpoint.changed">["breakpoint"];

/** Where in its turn a session stands, for people who watch: derived from the state, never stored. */
export function breakpointOf(state: SessionState): Breakpoint {
  if (state.run === null) return "ready";
  if (state.run.waitingSince !== null)
    return state.run.blockedBy === null ? "awaiting_approval" : "pre_model";
  const all = Object.values(state.namespaces);
  const open = all
    .flatMap((at) => at.calls)
    .filter((call) => !isResolved(call.state) && call.kind !== "delegate");
  if (open.some((call) => call.state === "executing")) return "tool_executing";
  if (open.some((call) => call.state === "approved")) return "pre_tool";
  if (open.length > 0) return "tool_pending";
  if (all.some((at) => at.step !== null)) return "pre_model";
  return "post_tool";
}

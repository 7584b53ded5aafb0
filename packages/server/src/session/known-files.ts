import type { EventData } from "@berth/contract";
import type { SessionState } from "./state.ts";
import { isResolved } from "./tool-call.ts";

/** What a log can tell of the files: which ones were kept, and what inputs did to them since. */
export type KnownFiles = Pick<SessionState, "manifest" | "fileChanges">;

/** What becomes of the files when a session goes back to this state. */
export function filesBackAt(state: SessionState): NonNullable<EventData<"session.rewound">["files"]> {
  if (!mayDiffer(state)) return "exact";
  // Taking away what tools made, with nothing to put in its place, would lose all of it.
  return state.manifest === null ? "left" : "earlier";
}

/** What a fork's files are when it begins at this state. */
export function filesOfFork(state: SessionState): NonNullable<EventData<"session.forked">["files"]> {
  return mayDiffer(state) ? "earlier" : "exact";
}

/** Tools changed files since the manifest, or may be doing so. */
function mayDiffer(state: SessionState): boolean {
  const calls = Object.values(state.namespaces).flatMap((at) => at.calls);
  const atWork = calls.some(
    (call) => call.kind === "server" && call.effect !== "pure" && !isResolved(call.state),
  );
  return state.toolsTouched || atWork;
}

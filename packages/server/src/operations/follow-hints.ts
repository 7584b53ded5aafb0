import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { type Hint, hintTopic } from "../coordination/session-frames.ts";
import type { OperationsContext } from "./context.ts";

/** Lists that hints are about. */
export type HintTopic = "approvals" | "sessions";

/**
 * Calls when something in a list of the caller's organization may have changed, with the session that it is about, until the
 * returned function is called. A hint can be lost: query now and then all the same. Rejects with `forbidden` or `bus_closed`.
 */
export async function followHints(
  context: OperationsContext,
  principal: Principal,
  { topic, call }: { readonly topic: HintTopic; readonly call: (sessionId: string) => void },
): Promise<() => void> {
  requirePermission(principal, topic === "approvals" ? "approval:read" : "session:read");
  return context.bus.subscribe(hintTopic(principal.orgId, topic), (frame) => call((frame as Hint).sessionId));
}

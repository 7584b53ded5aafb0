import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { type Hint, hintTopic } from "../coordination/session-frames.ts";
import { maySee } from "./access.ts";
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
  const { orgId } = principal;
  const org = context.store.org(orgId);
  let over = false;
  const tell = async (sessionId: string) => {
    // Who may see only their own sessions learns nothing of others'. A deleted session has no owner to compare with.
    const session = await org.findSession(sessionId);
    if (!over && (session === null ? maySee(principal, { owner: "" }) : maySee(principal, session)))
      call(sessionId);
  };
  const unsubscribe = await context.bus.subscribe(hintTopic(orgId, topic), (frame) =>
    tell((frame as Hint).sessionId),
  );
  return () => {
    over = true;
    unsubscribe();
  };
}

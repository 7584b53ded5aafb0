import type { Principal } from "../auth/principal.ts";
import { sessionFor, sessionNotFound } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { hintSessions, wakeSession } from "./wake-session.ts";

/**
 * Drops a session, its log, its mailbox and its workspace; a part of the log that a fork needs stays for the fork. Whoever holds
 * it cannot write any more and stops at the wake-up. Rejects with `session_not_found`.
 */
export async function deleteSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId }: { readonly sessionId: string },
): Promise<void> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:delete" });
  const { orgId } = session;
  if (!(await context.store.org(orgId).deleteSession(sessionId))) throw sessionNotFound(sessionId);
  await wakeSession(context, session);
  await context.sandboxes.destroy({ orgId, sessionId });
  hintSessions(context, session);
}

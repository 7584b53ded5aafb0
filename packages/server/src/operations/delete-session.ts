import type { Principal } from "../auth/principal.ts";
import { requireOwn, sessionFor, sessionNotFound } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { quiesceSession } from "./quiesce-session.ts";
import { hintSessions } from "./wake-session.ts";

/** How long the answer waits for the files to be gone: a host that is dead would hold it up for minutes. */
const removalMs = 2_000;

/**
 * Drops a session, its log, its mailbox and its workspace; a part of the log that a fork needs stays for the fork. Its run is
 * ended first and its worker lets go of it, so that nothing goes on for it; whoever holds it all the same cannot write any
 * more. Rejects with `session_not_found`.
 */
export async function deleteSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, origin }: { readonly sessionId: string; readonly origin: Origin },
): Promise<void> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:delete" });
  requireOwn(principal, session, "delete it");
  const { orgId } = session;
  const { type, id } = principal;
  await quiesceSession(context, session, {
    actor: { type, id },
    reason: "The session is deleted.",
    origin,
  });
  const audit = auditDraft(principal, origin, {
    action: "session.deleted",
    target: { type: "session", id: session.id },
    details: { owner: session.owner, events: session.lastSeq },
  });
  if (!(await context.store.org(orgId).deleteSession(sessionId, audit))) throw sessionNotFound(sessionId);
  await context.sandboxes.destroy({ orgId, sessionId }, { withinMs: removalMs });
  hintSessions(context, session);
}

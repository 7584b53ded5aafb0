import type { Principal } from "../auth/principal.ts";
import { sessionFor } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { ownEvent } from "./own-event.ts";

const page = { limit: 1_000, maxBytes: 1 << 20 };

/**
 * The whole raw log as JSON Lines, one event a line, in pages as they are read: whole lines at a time, never the whole log.
 * Rejects with `session_not_found` before the first page. Ends early when the session is deleted meanwhile.
 */
export async function exportSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, origin }: { readonly sessionId: string; readonly origin: Origin },
): Promise<AsyncIterable<string>> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:read" });
  await context.store.org(session.orgId).audit.append(
    auditDraft(principal, origin, {
      action: "session.exported",
      target: { type: "session", id: session.id },
      details: { owner: session.owner, events: session.lastSeq },
    }),
  );
  const store = context.store.session(session.orgId, session.id);
  async function* lines(): AsyncGenerator<string> {
    for (let after = 0; after < session.lastSeq;) {
      const read = await store.readLog({ after, ...page });
      const last = read?.events.at(-1);
      if (read === null || last === undefined) return;
      const upTo = read.events.filter(({ seq }) => seq <= session.lastSeq);
      yield upTo.map((event) => `${JSON.stringify(ownEvent(event, session))}\n`).join("");
      after = last.seq;
    }
  }
  return lines();
}

import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { type Hint, hintTopic } from "../coordination/session-frames.ts";
import { maySee } from "./access.ts";
import type { OperationsContext } from "./context.ts";

/** Lists that hints are about. */
export type HintTopic = "approvals" | "sessions";

type Seen = Parameters<typeof maySee>[1];

/** What the store said of the session of a hint, asked once for all who listen to it here. */
const asked = new WeakMap<Hint, Promise<Seen | null>>();

/**
 * Calls when something in a list of the caller may have changed, with the session that it is about, until the returned function is
 * called. Of a session that the caller may not see nothing is told. A hint can be lost: query now and then all the same. Rejects
 * with `forbidden` or `bus_closed`.
 */
export async function followHints(
  context: OperationsContext,
  principal: Principal,
  { topic, call }: { readonly topic: HintTopic; readonly call: (sessionId: string) => void },
): Promise<() => void> {
  requirePermission(principal, topic === "approvals" ? "approval:read" : "session:read");
  const seesAll = principal.permissions.has("session:manage");
  let over = false;
  const tell = async (hint: Hint) => {
    const session = await sessionOf(context, principal.orgId, hint);
    if (!over && session !== null && maySee(principal, session)) call(hint.sessionId);
  };
  const unsubscribe = await context.bus.subscribe(hintTopic(principal.orgId, topic), (frame) => {
    const hint = frame as Hint;
    if (seesAll) return call(hint.sessionId);
    tell(hint).catch((error: unknown) => context.telemetry.unexpectedError({ where: "hints", error }));
  });
  return () => {
    over = true;
    unsubscribe();
  };
}

function sessionOf({ store }: OperationsContext, orgId: string, hint: Hint): Promise<Seen | null> {
  const known = asked.get(hint);
  if (known !== undefined) return known;
  const { sessionId, seenBy } = hint;
  const session =
    seenBy === undefined
      ? store.org(orgId).findSession(sessionId)
      : Promise.resolve({ id: sessionId, ...seenBy });
  asked.set(hint, session);
  return session;
}

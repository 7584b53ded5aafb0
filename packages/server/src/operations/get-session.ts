import type { Session } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { readableSession } from "./access.ts";
import type { OperationsContext } from "./context.ts";
import { sessionView } from "./views.ts";

/** Rejects with `session_not_found`. */
export async function getSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId }: { readonly sessionId: string },
): Promise<Session> {
  return sessionView(await readableSession({ context, principal, id: sessionId }));
}

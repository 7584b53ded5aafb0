import type { Session } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { reread, settle, type Settled } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { sessionView } from "./views.ts";

/**
 * Takes the conversation back to a step boundary and ends the run. What was undone stays in the raw log. Rejects with
 * `session_not_found` or `not_a_safe_point`.
 */
export async function rewindSession(
  context: OperationsContext,
  principal: Principal,
  request: { readonly sessionId: string; readonly toSeq: number; readonly origin: Origin },
): Promise<Settled<Session>> {
  const { sessionId, toSeq, origin } = request;
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  const input = newInput({ lane: "control", body: { type: "session.rewind", toSeq } }, principal, origin);
  return settle(context, { session, inputs: [input], origin }, async () =>
    sessionView(await reread(context, session)),
  );
}

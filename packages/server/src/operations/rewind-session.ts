import type { Session } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { reread, settle, type Settled } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { nearestSafePoints } from "./safe-points.ts";
import { sessionView } from "./views.ts";

/** Places that a refusal names. */
const mostSafePoints = 5;

/**
 * Takes the conversation back to a step boundary and ends the run. What was undone stays in the raw log. Rejects with
 * `session_not_found` or `not_a_safe_point`, which names the nearest places in `safePoints`.
 */
export async function rewindSession(
  context: OperationsContext,
  principal: Principal,
  request: { readonly sessionId: string; readonly toSeq: number; readonly origin: Origin },
): Promise<Settled<Session>> {
  const { sessionId, toSeq, origin } = request;
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  const input = newInput({ lane: "control", body: { type: "session.rewind", toSeq } }, principal, origin);
  try {
    return await settle(context, { session, inputs: [input], origin }, async () =>
      sessionView(await reread(context, session)),
    );
  } catch (thrown) {
    if (!(thrown instanceof BerthError) || thrown.code !== "not_a_safe_point") throw thrown;
    throw withPlaces(thrown, await nearestSafePoints(context, session, { seq: toSeq, most: mostSafePoints }));
  }
}

function withPlaces(refused: BerthError, safePoints: readonly number[]): BerthError {
  const { code, message, details } = refused;
  const places = new Intl.ListFormat("en", { type: "disjunction" }).format(safePoints.map(String));
  const advice = safePoints.length === 0 ? "" : ` Near it are such places at ${places}.`;
  return new BerthError(code, `${message}${advice}`, { details: { ...details, safePoints } });
}

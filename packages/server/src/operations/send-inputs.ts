import type { SendableInput, SendReply } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { sessionFor } from "./access.ts";
import { acceptInputs } from "./accept-inputs.ts";
import { decisionDraft } from "./audit-decision.ts";
import { alreadyDecided } from "./check-decision.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { prepareInputs } from "./prepare-inputs.ts";
import { requireOwnFiles } from "./sandbox-access.ts";
import { acceptedView } from "./views.ts";

/**
 * Puts what a caller says into a session's mailbox; all of it or nothing. It is committed when this resolves. Rejects as
 * `prepareInputs` and `SessionStore.accept` do.
 */
export async function sendInputs(
  context: OperationsContext,
  principal: Principal,
  request: {
    readonly sessionId: string;
    readonly events: readonly SendableInput[];
    readonly origin: Origin;
  },
): Promise<SendReply & { readonly replayed: boolean }> {
  const { sessionId, events, origin } = request;
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  await requireOwnFiles(context, principal, session);
  const { inputs, rejectIfBusy, late } = await prepareInputs({ context, principal, origin, session }, events);
  const refusal = late === null ? null : alreadyDecided(late);
  const audit = decisionDraft(principal, origin, { sessionId: session.id, inputs: events });
  const accepting = { session, inputs, origin, rejectIfBusy, refusal, audit };
  const { result, replayed } = await acceptInputs(context, accepting);
  return { inputs: result.map(acceptedView), replayed };
}

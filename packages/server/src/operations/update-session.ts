import type { InternalInput, Session, UpdateSessionBody } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { newInput } from "./accept-inputs.ts";
import { sessionFor } from "./access.ts";
import { reread, settle, type Settled } from "./apply-inputs.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { checkModel, resolveAgent } from "./resolve-agent.ts";
import { sessionView } from "./views.ts";
import { hintSessions } from "./wake-session.ts";

/**
 * Changes what a session says about itself, or archives it, which ends its run. Rejects with `session_not_found`,
 * `unknown_agent`, `agent_archived`, `unknown_model`.
 */
export async function updateSession(
  context: OperationsContext,
  principal: Principal,
  request: { readonly sessionId: string; readonly body: UpdateSessionBody; readonly origin: Origin },
): Promise<Settled<Session>> {
  const { sessionId, body, origin } = request;
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  const changes = await changesOf(context, principal.orgId, body);
  const inputs = changes.map((change) => newInput({ lane: "control", body: change }, principal, origin));
  return settle(context, { session, inputs, origin }, async () => {
    hintSessions(context, session);
    return sessionView(await reread(context, session));
  });
}

async function changesOf(
  context: OperationsContext,
  orgId: string,
  body: UpdateSessionBody,
): Promise<readonly InternalInput[]> {
  const { archived, agent, model, title, metadata } = body;
  checkModel(context, model);
  const about = {
    ...(title !== undefined && { title }),
    ...(metadata !== undefined && { metadata }),
    ...(model !== undefined && { model }),
    ...(agent !== undefined && { agent: await resolveAgent(context, orgId, agent) }),
  };
  const changes: InternalInput[] = [];
  if (Object.keys(about).length > 0) changes.push({ type: "session.update", ...about });
  if (archived !== undefined) changes.push({ type: "session.archive", archived });
  return changes;
}

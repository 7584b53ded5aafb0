import type { InternalInput, Session, UpdateSessionBody } from "@berth/contract";
import { hintAuth } from "../auth/auth-hints.ts";
import type { Principal } from "../auth/principal.ts";
import type { ModelScope } from "../models/model.ts";
import { newInput } from "./accept-inputs.ts";
import { requireOwn, sessionFor } from "./access.ts";
import { reread, settle, type Settled } from "./apply-inputs.ts";
import { auditDraft, type Told } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { checkModel, resolveAgent } from "./resolve-agent.ts";
import { sessionView } from "./views.ts";
import { hintSessions } from "./wake-session.ts";

/**
 * Changes what a session says about itself or who sees it, or archives it, which ends its run. Rejects with `session_not_found`,
 * `unknown_agent`, `agent_archived`, `unknown_model`.
 */
export async function updateSession(
  context: OperationsContext,
  principal: Principal,
  request: { readonly sessionId: string; readonly body: UpdateSessionBody; readonly origin: Origin },
): Promise<Settled<Session>> {
  const { sessionId, body, origin } = request;
  const session = await sessionFor({ context, principal, id: sessionId, permission: "session:write" });
  const { visibility } = body;
  if (visibility !== undefined) requireOwn(principal, session, "say who sees it");
  const changes = await changesOf(context, session, body);
  const inputs = changes.map((change) => newInput({ lane: "control", body: change }, principal, origin));
  const told = toldOf(body);
  const target = { type: "session", id: session.id };
  const audit = told === null ? null : auditDraft(principal, origin, { ...told, target });
  return settle(context, { session, inputs, origin, visibility, audit }, async () => {
    const changed = await reread(context, session);
    // Who saw it before is told too: of a session that is not shared any more.
    hintSessions(context, session.visibility === "org" ? { ...changed, visibility: "org" } : changed);
    if (visibility === "private") hintAuth(context.bus, session.orgId);
    return sessionView(changed);
  });
}

/** Who sees it and whether it can go on is told; its title, agent and the like are in its own log, with who changed them. */
function toldOf({ visibility, archived }: UpdateSessionBody): Omit<Told, "target"> | null {
  if (visibility === undefined && archived === undefined) return null;
  const details = {
    ...(visibility !== undefined && { visibility }),
    ...(archived !== undefined && { archived }),
  };
  if (visibility !== undefined) return { action: "session.visibility_changed", details };
  return { action: archived === true ? "session.archived" : "session.unarchived", details };
}

async function changesOf(
  context: OperationsContext,
  { orgId, owner }: ModelScope,
  body: UpdateSessionBody,
): Promise<readonly InternalInput[]> {
  const { archived, agent, model, title, metadata } = body;
  await checkModel(context, { orgId, owner }, model);
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

import type { DecideBody } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { ApprovalRecord, SessionRecord } from "../store/records.ts";
import { approvalNotFound, requireDecider } from "./access.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { refuseOwnRequest } from "./four-eyes.ts";
import { invalidBody } from "./invalid-body.ts";
import { approvalView } from "./views.ts";

interface Deciding {
  readonly context: OperationsContext;
  readonly principal: Principal;
  readonly origin: Origin;
  readonly session: SessionRecord | null;
}

/**
 * Refuses a decision that cannot count: no such approval in this session, decided before, by who asked for it where the
 * agent wants four eyes, or with new arguments that the tool would not take. Resolves with the approval when it is decided already and the
 * request may be a repetition of the one that did it: the caller refuses it once the store says that it is none.
 */
export async function checkDecision(
  deciding: Deciding,
  decision: DecideBody & { readonly approvalId: string; readonly clientId?: string | undefined },
): Promise<ApprovalRecord | null> {
  const { context, principal, session } = deciding;
  requireDecider(principal);
  const approval = await context.store.org(principal.orgId).findApproval(decision.approvalId);
  if (approval === null || session === null || approval.sessionId !== session.id) {
    throw approvalNotFound(decision.approvalId);
  }
  const late = approval.status === "pending" ? null : approval;
  if (late !== null && !mayBeRepeated(deciding, decision)) throw alreadyDecided(late);
  const agent = await context.store.org(principal.orgId).findAgent(session.agent.id);
  if (agent?.definition.permissions.fourEyes)
    await refuseOwnRequest({ context, principal, session, approval });
  if (decision.decision !== "edit") return late;
  const clientTool = agent?.definition.clientTools.find(({ name }) => name === approval.tool);
  const tool = context.tools.get(approval.tool) ?? clientTool;
  const error = tool === undefined ? null : context.tools.checkInput(tool, decision.input);
  if (error !== null) throw invalidBody("/input", `does not fit the tool ${approval.tool}: ${error}`);
  return late;
}

/** Only the store knows whether a request with a key, or with the caller's own id, was accepted before. */
function mayBeRepeated(
  { origin }: Deciding,
  { clientId }: { readonly clientId?: string | undefined },
): boolean {
  return origin.idempotency !== null || clientId !== undefined;
}

/** The refusal of a decision that came too late; `details.approval` is the winner. */
export function alreadyDecided(approval: ApprovalRecord): BerthError {
  return new BerthError("already_decided", `The approval ${approval.id} is ${approval.status} already.`, {
    details: { approval: approvalView(approval) },
  });
}

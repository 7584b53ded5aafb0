import type { Approval, DecideBody } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newInput } from "./accept-inputs.ts";
import { approvalFor, approvalNotFound } from "./access.ts";
import { settle, type Settled } from "./apply-inputs.ts";
import { decisionDraft } from "./audit-decision.ts";
import { alreadyDecided, checkDecision } from "./check-decision.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { approvalView } from "./views.ts";

/**
 * Decides an approval. The first decision in the log wins: a later one is refused with `already_decided` and the winner. Rejects
 * with `approval_not_found`, `four_eyes` or `validation_failed` too.
 */
export async function decideApproval(
  context: OperationsContext,
  principal: Principal,
  request: { readonly approvalId: string; readonly body: DecideBody; readonly origin: Origin },
): Promise<Settled<Approval>> {
  const { approvalId, body, origin } = request;
  const wanted = { context, principal, id: approvalId, permission: "approval:decide" } as const;
  const { session } = await approvalFor(wanted);
  const late = await checkDecision({ context, principal, origin, session }, { ...body, approvalId });
  const decision = { type: "user.approval", approvalId, ...body } as const;
  const input = newInput({ lane: "control", body: decision }, principal, origin);
  const audit = decisionDraft(principal, origin, { sessionId: session.id, inputs: [decision] });
  const find = () => context.store.org(principal.orgId).findApproval(approvalId);
  try {
    const refusal = late === null ? null : alreadyDecided(late);
    return await settle(context, { session, inputs: [input], origin, refusal, audit }, async () => {
      const approval = await find();
      if (approval === null) throw approvalNotFound(approvalId);
      return approvalView(approval);
    });
  } catch (thrown) {
    const lost = thrown instanceof BerthError && thrown.code === "already_decided";
    const winner = lost ? await find() : null;
    throw winner === null ? thrown : alreadyDecided(winner);
  }
}

import type { SendableInput } from "@berth/contract";
import type { Principal } from "../auth/principal.ts";
import type { AuditDraft } from "../store/audit.ts";
import { auditDraft } from "./audit-draft.ts";
import type { Origin } from "./context.ts";

/** The audit entry of inputs that decide approvals; null when none does. Several decisions of one request are one entry. */
export function decisionDraft(
  principal: Principal,
  origin: Origin,
  { sessionId, inputs }: { readonly sessionId: string; readonly inputs: readonly SendableInput[] },
): AuditDraft | null {
  const decisions = inputs.filter((input) => input.type === "user.approval");
  const [first] = decisions;
  if (first === undefined) return null;
  const others = decisions.slice(1).map(({ approvalId, decision }) => `${approvalId} ${decision}`);
  return auditDraft(principal, origin, {
    action: "approval.decided",
    target: { type: "approval", id: first.approvalId },
    details: {
      session: sessionId,
      decision: first.decision,
      ...(others.length > 0 && { others: others.join(", ") }),
    },
  });
}

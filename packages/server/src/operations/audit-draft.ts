import type { Principal } from "../auth/principal.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { Origin } from "./context.ts";

/** What is told of a change; who did it and where from is known. */
export interface Told {
  readonly action: string;
  readonly target: { readonly type: string; readonly id: string } | null;
  readonly outcome?: AuditDraft["outcome"];
  readonly details?: AuditDraft["details"];
}

/** The audit entry of a change, to be committed with it. */
export function auditDraft(
  principal: Principal,
  origin: Pick<Origin, "requestId" | "address">,
  told: Told,
): AuditDraft {
  const { type, id, name, credential } = principal;
  return {
    id: newId("audit"),
    actor: { type, id, name },
    credential: `${credential.kind}:${credential.id}`,
    action: told.action,
    target: told.target,
    outcome: told.outcome ?? "done",
    requestId: origin.requestId,
    address: origin.address,
    details: told.details ?? {},
  };
}

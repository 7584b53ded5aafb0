import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { AccountRecord, LoginRecord } from "../store/identity.ts";

/** The audit entry of a person who comes or goes. */
export function loginDraft(
  action: "login.started" | "login.ended",
  about: { readonly login: LoginRecord; readonly account: AccountRecord; readonly requestId: string },
): AuditDraft {
  const { login, account, requestId } = about;
  return {
    id: newId("audit"),
    actor: { type: "user", id: account.id, name: account.name },
    credential: `cookie:${login.id}`,
    action,
    target: { type: "login", id: login.id },
    outcome: "done",
    requestId,
    address: login.address,
    details: { method: login.method },
  };
}

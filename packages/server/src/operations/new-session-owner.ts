import { visibility, type Visibility } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { AuditDraft } from "../store/audit.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";

/** Whose a new session is: the caller's, or somebody's whom it acts as. Rejects with `forbidden` or `unknown_owner`. */
export async function ownerOf(
  context: OperationsContext,
  principal: Principal,
  wanted: string | undefined,
): Promise<string> {
  if (wanted === undefined || wanted === principal.id) return principal.id;
  requirePermission(principal, "session:act-as");
  const { identity } = context.store.org(principal.orgId);
  const found = wanted.startsWith("usr_")
    ? await identity.findMember(wanted)
    : await identity.findServiceAccount(wanted);
  if (found?.status === "active") return wanted;
  throw new BerthError(
    "unknown_owner",
    `There is no active user or service account ${wanted} in this organization: name one.`,
  );
}

/** That somebody made or resumed a session in another's name. */
export function actedAs(
  principal: Principal,
  origin: Origin,
  { owner, session }: { readonly owner: string; readonly session: { readonly id: string } },
): AuditDraft {
  return auditDraft(principal, origin, {
    action: "session.acted_as",
    target: { type: "session", id: session.id },
    details: { owner },
  });
}

/** Who sees a new session when nobody says so: as the organization's settings have it, else its owner alone. */
export async function defaultVisibility(context: OperationsContext, orgId: string): Promise<Visibility> {
  const org = await context.store.org(orgId).identity.findOrg();
  return visibility.catch("private").parse(org?.settings["defaultVisibility"]);
}

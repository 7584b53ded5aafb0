import { type Permission, requirePermission } from "../auth/permissions.ts";
import type { CredentialKind, Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { AgentRecord, ApprovalRecord, RunRecord, SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

// The one place that says who may reach what: the org-bound handle keeps other organizations' things out, the permission says
// what may be done, and a session says whose it is and whether it is shared. What one may not see is answered like what is not there.

/** One thing that is asked for, by whom, and what for. */
interface Wanted {
  readonly context: Pick<OperationsContext, "store">;
  readonly principal: Principal;
  readonly id: string;
  readonly permission: Permission;
}

/** Whether a session is the principal's to see at all, whatever it may do with it. */
export function maySee(
  principal: Principal,
  session: Pick<SessionRecord, "id" | "owner" | "visibility">,
): boolean {
  if (principal.onlySession !== undefined) return principal.onlySession === session.id;
  return (
    session.visibility === "org" ||
    session.owner === principal.id ||
    principal.permissions.has("session:manage")
  );
}

/** Whose sessions, runs and approvals a list may show: everybody's when undefined. */
export function visibleTo(principal: Principal): { visibleTo?: string } {
  return principal.permissions.has("session:manage") ? {} : { visibleTo: principal.id };
}

/** Rejects with `forbidden` or `session_not_found`. */
export async function sessionFor(wanted: Wanted): Promise<SessionRecord> {
  requirePermission(wanted.principal, wanted.permission);
  return seenSession(wanted);
}

/**
 * A session that is only looked at, and nothing else of it: what a share link opens too. A link's principal has no permissions, so
 * that whatever is not asked for in this way is refused to it. Rejects with `forbidden` or `session_not_found`.
 */
export async function readableSession(wanted: Omit<Wanted, "permission">): Promise<SessionRecord> {
  if (wanted.principal.onlySession === undefined) requirePermission(wanted.principal, "session:read");
  return seenSession(wanted);
}

async function seenSession({ context, principal, id }: Omit<Wanted, "permission">): Promise<SessionRecord> {
  const session = await context.store.org(principal.orgId).findSession(id);
  if (session === null || !maySee(principal, session)) throw sessionNotFound(id);
  return session;
}

/** For what others may not do with a session that is shared with them. Throws `forbidden`. */
export function requireOwn(principal: Principal, session: SessionRecord, what: string): void {
  if (session.owner === principal.id || principal.permissions.has("session:manage")) return;
  throw new BerthError(
    "forbidden",
    `only the session's owner, or who has the permission session:manage, may ${what}`,
    { details: { permission: "session:manage" } },
  );
}

/** Credentials that people and programs of an organization have themselves; one that a sandbox, a tool or a service is given is not among them. */
const deciders: ReadonlySet<CredentialKind> = new Set<CredentialKind>([
  "admin_key",
  "api_key",
  "jwt",
  "sso_header",
  "certificate",
  "cookie",
  "signature",
]);

/** For the decision of an approval. Throws `forbidden`, whatever permissions it has, for a credential of another kind. */
export function requireDecider(principal: Principal): void {
  requirePermission(principal, "approval:decide");
  if (deciders.has(principal.credential.kind)) return;
  throw new BerthError("forbidden", "with this credential nothing can be approved: use a key of your own");
}

/** A run and its session. Rejects with `forbidden` or `run_not_found`. */
export async function runFor(wanted: Wanted): Promise<{ run: RunRecord; session: SessionRecord }> {
  const { context, principal, id, permission } = wanted;
  requirePermission(principal, permission);
  const org = context.store.org(principal.orgId);
  const run = await org.findRun(id);
  const session = run && (await org.findSession(run.sessionId));
  if (run === null || session === null || !maySee(principal, session)) throw runNotFound(id);
  return { run, session };
}

/** An approval and its session. Rejects with `forbidden` or `approval_not_found`. */
export async function approvalFor(
  wanted: Wanted,
): Promise<{ approval: ApprovalRecord; session: SessionRecord }> {
  const { context, principal, id, permission } = wanted;
  requirePermission(principal, permission);
  const org = context.store.org(principal.orgId);
  const approval = await org.findApproval(id);
  const session = approval && (await org.findSession(approval.sessionId));
  if (approval === null || session === null || !maySee(principal, session)) throw approvalNotFound(id);
  return { approval, session };
}

/** Any version of an agent that the request names by id or by name. Rejects with `forbidden` or `agent_not_found`. */
export async function agentFor(wanted: Wanted & { readonly version?: number }): Promise<AgentRecord> {
  const { context, principal, id, permission, version } = wanted;
  requirePermission(principal, permission);
  const agent = await context.store.org(principal.orgId).findAgent(id, version);
  if (agent === null) throw agentNotFound(id);
  return agent;
}

export function sessionNotFound(id: string): BerthError {
  return new BerthError("session_not_found", `There is no session ${id}.`);
}

export function approvalNotFound(id: string): BerthError {
  return new BerthError("approval_not_found", `There is no approval ${id}.`);
}

export function runNotFound(id: string): BerthError {
  return new BerthError("run_not_found", `There is no run ${id}.`);
}

export function agentNotFound(id: string): BerthError {
  return new BerthError("agent_not_found", `There is no agent ${id}.`);
}

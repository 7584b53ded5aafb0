import { type Permission, requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { AgentRecord, ApprovalRecord, RunRecord, SessionRecord } from "../store/records.ts";
import type { OperationsContext } from "./context.ts";

// The one place that says who may reach what: the org-bound handle keeps other organizations' things out, the permission says
// what may be done with those of one's own. Sessions are the organization's; their owner matters to keys and to four eyes.

/** One thing that is asked for, by whom, and what for. */
interface Wanted {
  readonly context: OperationsContext;
  readonly principal: Principal;
  readonly id: string;
  readonly permission: Permission;
}

/** Rejects with `forbidden` or `session_not_found`. */
export async function sessionFor(wanted: Wanted): Promise<SessionRecord> {
  const { context, principal, id, permission } = wanted;
  requirePermission(principal, permission);
  const session = await context.store.org(principal.orgId).findSession(id);
  if (session === null) throw sessionNotFound(id);
  return session;
}

/** A run and its session. Rejects with `forbidden` or `run_not_found`. */
export async function runFor(wanted: Wanted): Promise<{ run: RunRecord; session: SessionRecord }> {
  const { context, principal, id, permission } = wanted;
  requirePermission(principal, permission);
  const org = context.store.org(principal.orgId);
  const run = await org.findRun(id);
  const session = run && (await org.findSession(run.sessionId));
  if (run === null || session === null) {
    throw runNotFound(id);
  }
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
  if (approval === null || session === null) throw approvalNotFound(id);
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

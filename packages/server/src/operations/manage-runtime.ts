import { z } from "zod";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { sessionFor } from "./access.ts";
import { askWorker, askWorkers } from "./ask-workers.ts";
import { reread } from "./apply-inputs.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { sessionView } from "./views.ts";
import { wakeSession } from "./wake-session.ts";

const evictAnswer = z.enum(["evicted", "busy", "absent"]);

/** Takes idle sessions of the organization out of memory; nothing of them is lost. Says how many. */
export async function cleanUpRuntime(
  context: OperationsContext,
  principal: Principal,
  { origin }: { readonly origin: Origin },
): Promise<{ readonly evicted: number }> {
  requirePermission(principal, "runtime:manage");
  const command = { op: "cleanup", orgId: principal.orgId } as const;
  const counts = await askWorkers(context, command, z.int().nonnegative());
  const evicted = counts.reduce((sum, count) => sum + count, 0);
  const told = { action: "runtime.cleaned_up", target: null, details: { evicted } };
  await context.store.org(principal.orgId).audit.append(auditDraft(principal, origin, told));
  return { evicted };
}

/** Takes one session out of memory. Rejects with `session_not_live`, or `session_in_use` while it runs or is being written. */
export async function evictSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, origin }: { readonly sessionId: string; readonly origin: Origin },
): Promise<void> {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "runtime:manage" });
  const command = { op: "evict", orgId: session.orgId, sessionId } as const;
  const answer =
    session.holder === null
      ? null
      : await askWorker(context, { id: session.holder, command, answer: evictAnswer });
  if (answer === "evicted") {
    const told = { action: "session.evicted", target: { type: "session", id: session.id } };
    return context.store.org(session.orgId).audit.append(auditDraft(principal, origin, told));
  }
  if (answer === "busy") {
    throw new BerthError("session_in_use", "The session runs or is being written: cancel its run first.", {
      retryable: true,
    });
  }
  throw new BerthError("session_not_live", `No worker holds the session ${sessionId} in memory.`);
}

/** Lets a quarantined session run again. Rejects with `session_not_found` or `not_quarantined`. */
export async function releaseSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, origin }: { readonly sessionId: string; readonly origin: Origin },
) {
  const session = await sessionFor({ context, principal, id: sessionId, permission: "runtime:manage" });
  const { orgId } = session;
  const audit = auditDraft(principal, origin, {
    action: "session.released",
    target: { type: "session", id: session.id },
  });
  if (!(await context.store.system.liftQuarantine({ orgId, sessionId, audit }))) {
    throw new BerthError(
      "not_quarantined",
      `The session ${sessionId} is not quarantined: there is nothing to release.`,
    );
  }
  await wakeSession(context, session);
  return sessionView(await reread(context, session));
}

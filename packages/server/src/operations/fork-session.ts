import type { Session, SessionEvent } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import { finishRun } from "../session/decide-run.ts";
import { fold } from "../session/fold.ts";
import { filesOfFork } from "../session/known-files.ts";
import { type NewEvent, placeOf, stamp } from "../session/new-event.ts";
import type { SessionState } from "../session/state.ts";
import { sessionFor } from "./access.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { newSessionOf } from "./first-events.ts";
import { foldSession } from "./fold-session.ts";
import { defaultVisibility } from "./new-session-owner.ts";
import { sessionView } from "./views.ts";
import { hintSessions, wakeSession } from "./wake-session.ts";

interface ForkSession {
  readonly sessionId: string;
  /** The last event that the fork has in common with its parent; default: the parent's last. */
  readonly seq?: number | undefined;
  readonly title?: string | undefined;
  readonly origin: Origin;
}

/**
 * A session of its own that shares the log up to a seq. A run that is open there is ended in the fork, not in the parent. The
 * workspace manifest that belongs to the seq is named in `session.forked`; a worker restores it, with the changes of files that inputs
 * made after it and that the log tells. Rejects with `session_not_found` or `seq_not_found`.
 */
export async function forkSession(
  context: OperationsContext,
  principal: Principal,
  { sessionId, seq, title, origin }: ForkSession,
): Promise<{ readonly session: Session; readonly replayed: boolean }> {
  requirePermission(principal, "session:write");
  const parent = await sessionFor({ context, principal, id: sessionId, permission: "session:read" });
  const upTo = seq ?? parent.lastSeq;
  if (upTo > parent.lastSeq) throw seqNotFound(sessionId, upTo, parent.lastSeq);
  const { state } = await foldSession(context, parent, upTo);
  const { events, after } = branchOff({
    state,
    principal,
    title,
    parent: parent.id,
    now: context.clock.now(),
  });
  const session = newSessionOf(principal.orgId, events, after);
  const manifest = after.manifest === null ? [] : [after.manifest.hash];
  const { result, replayed } = await context.store.org(principal.orgId).createSession({
    ...session,
    row: {
      ...session.row,
      visibility: await defaultVisibility(context, principal.orgId),
      forkedFrom: { sessionId: parent.id, seq: upTo },
    },
    blobs: [...(session.blobs ?? []), ...manifest],
    fork: { sessionId: parent.id, seq: upTo, copy: parent.owner !== principal.id },
    audit: auditDraft(principal, origin, {
      action: "session.forked",
      target: { type: "session", id: parent.id },
      details: { fork: session.row.id, upTo, owner: parent.owner },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  failpoint("http.created.before-reply");
  hintSessions(context, result.session);
  // Whoever takes it restores its files; when this is lost, its first tool does.
  if (after.manifest !== null || after.fileChanges.length > 0) await wakeSession(context, result.session);
  return { session: sessionView(result.session), replayed };
}

interface Branch {
  readonly state: SessionState;
  readonly principal: Principal;
  readonly title: string | undefined;
  readonly parent: string;
  readonly now: number;
}

/** The fork's own first events: `session.forked`, then the end of the run that was open. */
function branchOff(branch: Branch): { events: readonly SessionEvent[]; after: SessionState } {
  const { state, principal, title, parent, now } = branch;
  const at = new Date(now).toISOString();
  const place = { ...placeOf(state), sessionId: newId("session", now) };
  const forked: NewEvent = {
    type: "session.forked",
    actor: { type: principal.type, id: principal.id },
    data: {
      fromSessionId: parent,
      fromSeq: state.seq,
      owner: principal.id,
      title: title ?? state.title,
      manifest: state.manifest?.hash ?? null,
      files: filesOfFork(state),
    },
  };
  const ended = finishRun(state, { reason: "interrupted", now }).map((event): NewEvent => ({
    ...event,
    actor: event.actor ?? { type: "system", id: "core" },
  }));
  const first = stamp({ ...place, runId: null }, [forked], at);
  const rest = stamp({ ...place, seq: state.seq + 1 }, ended, at);
  const events = [...first, ...rest];
  return { events, after: fold(events, state) };
}

function seqNotFound(sessionId: string, seq: number, lastSeq: number): BerthError {
  return new BerthError(
    "seq_not_found",
    `Session ${sessionId} has no event ${seq}: its last one is ${lastSeq}.`,
  );
}

import { retention } from "@berth/contract";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { SessionRecord } from "../store/records.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { quiesceSession } from "./quiesce-session.ts";
import { hintSessions } from "./wake-session.ts";

const day = 24 * 3_600_000;
const scanAtOnce = 1_000;
const usageAtOnce = 1_000;

const origin: Origin = { idempotency: null, traceparent: null, requestId: null, address: null };
const actor = { type: "system", id: "retention" } as const;

interface Keeping {
  readonly orgId: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/**
 * Deletes the sessions and usage records that an organization's settings let go, in slices, each session with its audit entry. Returns how many
 * days audit entries are kept; null: for ever.
 */
export async function keepRetention(
  context: OperationsContext,
  { orgId, settings, signal }: Keeping,
): Promise<number | null> {
  const { sessionsDays, usageDays, auditDays } = retention.parse(settings["retention"] ?? {});
  const now = context.clock.now();
  if (sessionsDays !== undefined)
    await dropSessions(context, { orgId, before: now - sessionsDays * day, signal });
  if (usageDays !== undefined) {
    const slice = { before: now - usageDays * day, limit: usageAtOnce };
    while (!signal.aborted && (await context.store.org(orgId).data.forgetUsage(slice)) > 0);
  }
  return auditDays ?? null;
}

async function dropSessions(
  context: OperationsContext,
  { orgId, before, signal }: { orgId: string; before: number; signal: AbortSignal },
): Promise<void> {
  const org = context.store.org(orgId);
  for (let after: string | null = null; ;) {
    const { ids, next } = await org.data.staleSessions({ before, after, scan: scanAtOnce });
    for (const id of ids) {
      if (signal.aborted) return;
      const session = await org.findSession(id);
      // Somebody may have come back to it.
      if (session !== null && session.updatedAt < before) await drop(context, session);
    }
    if (next === null) return;
    after = next;
  }
}

/** One host that is dead holds up nobody else's sessions. */
const removalMs = 2_000;

async function drop(context: OperationsContext, session: SessionRecord): Promise<void> {
  const { orgId, id: sessionId } = session;
  await quiesceSession(context, session, { actor, reason: "The session is deleted.", origin });
  if (await context.store.org(orgId).deleteSession(sessionId, told(session)))
    await context.sandboxes.destroy({ orgId, sessionId }, { withinMs: removalMs });
  hintSessions(context, session);
}

function told({ id, owner, lastSeq, updatedAt }: SessionRecord): AuditDraft {
  return {
    id: newId("audit"),
    actor: { ...actor, name: "retention" },
    credential: null,
    action: "session.deleted",
    target: { type: "session", id },
    outcome: "done",
    requestId: null,
    address: null,
    details: { why: "retention", owner, events: lastSeq, lastUsed: new Date(updatedAt).toISOString() },
  };
}

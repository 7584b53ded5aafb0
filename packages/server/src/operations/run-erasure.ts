import { asBerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { AuditDraft } from "../store/audit.ts";
import type { ErasureRecord } from "../store/data.ts";
import type { OperationsContext, Origin } from "./context.ts";
import { quiesceSession } from "./quiesce-session.ts";
import { hintSessions } from "./wake-session.ts";

const sessionsAtOnce = 50;
const rowsAtOnce = 500;
const blobsAtOnce = 200;

const origin: Origin = { idempotency: null, traceparent: null, requestId: null, address: null };
const actor = { type: "system", id: "erasure" } as const;

/**
 * Erases what an erasure asks for and writes its receipt. Each step takes what is still there, so that one that was broken off is gone
 * on with by doing it all again. Returns false when the signal aborted or something hindered it, which is then written on it.
 */
export async function runErasure(
  context: OperationsContext,
  erasure: ErasureRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const { orgId, id } = erasure;
  const { data } = context.store.system;
  try {
    for (const step of [eraseExports, eraseSessions, eraseBlobs, eraseNames, eraseRows, eraseBlobs, scrub]) {
      if (!(await step(context, erasure, signal))) return false;
    }
    await context.data.backups.noteErasure({ ...erasure, endedAt: context.clock.now() });
    await data.endErasure({ erasure, audit: told(erasure) });
    return true;
  } catch (thrown) {
    context.telemetry.unexpectedError({ where: "erasure", error: thrown, orgId });
    await data.noteErasure({ orgId, id, error: asBerthError(thrown).message });
    return false;
  }
}

/** False: the signal aborted. */
type Step = (context: OperationsContext, erasure: ErasureRecord, signal: AbortSignal) => Promise<boolean>;

const eraseExports: Step = async ({ store, data }, erasure, signal) => {
  const { orgId } = erasure;
  for (;;) {
    const ids = await store.system.data.exportsToErase(erasure, rowsAtOnce);
    if (ids.length === 0) return true;
    for (const id of ids) {
      if (signal.aborted) return false;
      await data.exportFiles.delete(id);
      await store.system.data.dropExport({ orgId, id });
    }
  }
};

/** The workspace goes before the row that leads to it. */
const eraseSessions: Step = async (context, erasure, signal) => {
  const { store, sandboxes } = context;
  const { orgId, id } = erasure;
  for (;;) {
    const sessions = await store.system.data.sessionsToErase(erasure, sessionsAtOnce);
    if (sessions.length === 0) return true;
    for (const sessionId of sessions) {
      if (signal.aborted) return false;
      const session = await store.org(orgId).findSession(sessionId);
      if (session === null) continue;
      await quiesceSession(context, session, { actor, reason: "The session is erased.", origin });
      const workspace = await sandboxes.destroy({ orgId, sessionId });
      if (workspace === "destroyed")
        await store.system.data.noteErasure({ orgId, id, counts: { workspaces: 1 } });
      await store.system.data.eraseSession({ erasure, sessionId });
      // A run that its worker began anew meanwhile may have made another.
      await sandboxes.destroy({ orgId, sessionId });
      hintSessions(context, session);
    }
  }
};

const eraseBlobs: Step = async ({ store, blobs }, erasure, signal) => {
  const { orgId, id } = erasure;
  const { data } = store.system;
  for (;;) {
    const hashes = await data.blobsToErase({ erasure, limit: blobsAtOnce });
    if (hashes.length === 0) return true;
    for (const hash of hashes) {
      if (signal.aborted) return false;
      await blobs.delete(orgId, hash);
    }
    await data.noteErasure({ orgId, id, counts: { blobs: hashes.length } });
    await data.forgetErasedBlobs({ orgId, hashes });
  }
};

/** Of the audit log; that of an erased organization goes as a whole. What is not sealed yet cannot be blanked: the next round does. */
const eraseNames: Step = async ({ store }, erasure, signal) => {
  const { orgId, id, scope, target, createdAt } = erasure;
  if (scope === "org") return true;
  const { unsealed } = await store.org(orgId).audit.chain();
  if (unsealed.oldestAt !== null && unsealed.oldestAt <= createdAt) return false;
  for (;;) {
    const blanked = await store.system.audit.erasePerson({ orgId, actorId: target, limit: rowsAtOnce });
    if (blanked > 0) await store.system.data.noteErasure({ orgId, id, counts: { audit_names: blanked } });
    if (signal.aborted) return false;
    if (blanked === 0) return true;
  }
};

const eraseRows: Step = async ({ store }, erasure, signal) => {
  while ((await store.system.data.eraseRows({ erasure, limit: rowsAtOnce })) > 0) {
    if (signal.aborted) return false;
  }
  return true;
};

/** Deleted rows are zeros in the database; what the write-ahead log still holds of them goes with it. */
const scrub: Step = async ({ store }) => {
  await store.system.data.truncateLog();
  return true;
};

function told({ id, scope, target }: ErasureRecord): AuditDraft {
  return {
    id: newId("audit"),
    actor: { ...actor, name: "erasure" },
    credential: null,
    action: `${scope}.erased`,
    target: { type: scope, id: target },
    outcome: "done",
    requestId: null,
    address: null,
    details: { receipt: id },
  };
}

import type { CreateExportBody, ExportJob, Page } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import { newId } from "../lib/id.ts";
import type { ExportRecord } from "../store/data.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";

/** Exports of one organization that may be under way at once. */
const mostAtOnce = 5;

/**
 * Asks for a copy of the organization's or of a user's data; a user may ask for its own. It is made in the background. Sessions are in it
 * when whoever asks may read conversations. Rejects with `forbidden`, `member_not_found` or `too_many_exports`.
 */
export async function createExport(
  context: OperationsContext,
  principal: Principal,
  { body, origin }: { readonly body: CreateExportBody; readonly origin: Origin },
): Promise<{ readonly job: ExportJob; readonly replayed: boolean }> {
  const userId = body.scope === "user" ? (body.userId ?? principal.id) : null;
  await requireMayExport(context, principal, userId);
  if (body.scope === "org" && body.userId !== undefined)
    throw new BerthError("validation_failed", "userId is for an export of scope user: leave it out.");
  const id = newId("export", context.clock.now());
  const conversations = principal.permissions.has("session:read");
  const { result, replayed } = await context.store.org(principal.orgId).data.createExport({
    record: { id, scope: body.scope, userId, conversations, requestedBy: principal.id },
    most: mostAtOnce,
    audit: auditDraft(principal, origin, {
      action: "export.requested",
      target: { type: "export", id },
      details: { scope: body.scope, user: userId, conversations },
    }),
    ...(origin.idempotency !== null && { idempotency: origin.idempotency }),
  });
  return { job: exportView(result), replayed };
}

/** A copy of one's own data needs no permission but to read it; who only holds a link has no data of its own. */
async function requireMayExport(
  context: OperationsContext,
  principal: Principal,
  userId: string | null,
): Promise<void> {
  if (userId === principal.id && principal.onlySession === undefined)
    return requirePermission(principal, "session:read");
  requirePermission(principal, "data:export");
  if (userId === null || userId === principal.id) return;
  const { identity } = context.store.org(principal.orgId);
  const known = (await identity.findMember(userId)) ?? (await identity.findServiceAccount(userId)) ?? null;
  if (known === null) throw new BerthError("member_not_found", `There is no member ${userId}.`);
}

/** One's own; all of the organization for who may export. Newest first. */
export async function listExports(
  context: OperationsContext,
  principal: Principal,
  filter: { readonly limit: number; readonly after?: string },
): Promise<Page<ExportJob>> {
  requireSelf(principal);
  const all = principal.permissions.has("data:export");
  const page = await context.store.org(principal.orgId).data.listExports({
    ...filter,
    ...(!all && { requestedBy: principal.id }),
  });
  return { items: page.items.map(exportView), next: page.next };
}

/** Rejects with `export_not_found`. */
export async function getExport(
  context: OperationsContext,
  principal: Principal,
  { exportId }: { readonly exportId: string },
): Promise<ExportJob> {
  return exportView(await visibleExport(context, principal, exportId));
}

/** Its bytes, for nobody but who asked for it. Rejects with `export_not_found`, `forbidden` or `export_not_ready`. */
export async function downloadExport(
  context: OperationsContext,
  principal: Principal,
  { exportId, origin }: { readonly exportId: string; readonly origin: Origin },
): Promise<{ readonly size: number; readonly pieces: AsyncIterable<Uint8Array> }> {
  const record = await visibleExport(context, principal, exportId);
  if (record.requestedBy !== principal.id) throw exportNotFound(exportId);
  requireMayHold(principal, record);
  const due = record.expiresAt !== null && record.expiresAt > context.clock.now();
  if (record.status !== "done" || !due) throw notReady(record);
  const told = { action: "export.downloaded", target: { type: "export", id: exportId } };
  await context.store.org(principal.orgId).audit.append(auditDraft(principal, origin, told));
  const file = await context.data.exportFiles.read(exportId);
  if (file === null) throw notReady({ ...record, status: "expired" });
  return file;
}

/** Who asked may have lost since what it had then, or call with a key that never had it. Throws `forbidden`. */
function requireMayHold(principal: Principal, { scope, userId, conversations }: ExportRecord): void {
  if (scope === "org" || userId !== principal.id) requirePermission(principal, "data:export");
  if (conversations) requirePermission(principal, "session:read");
}

/** Its file goes too; one that is being made is broken off. Rejects with `export_not_found`. */
export async function deleteExport(
  context: OperationsContext,
  principal: Principal,
  { exportId, origin }: { readonly exportId: string; readonly origin: Origin },
): Promise<void> {
  await visibleExport(context, principal, exportId);
  const audit = auditDraft(principal, origin, {
    action: "export.deleted",
    target: { type: "export", id: exportId },
  });
  const deleted = await context.store.org(principal.orgId).data.deleteExport({ id: exportId, audit });
  if (!deleted) throw exportNotFound(exportId);
  await context.data.exportFiles.delete(exportId);
}

async function visibleExport(
  context: OperationsContext,
  principal: Principal,
  id: string,
): Promise<ExportRecord> {
  requireSelf(principal);
  const record = await context.store.org(principal.orgId).data.findExport(id);
  const own = record?.requestedBy === principal.id;
  if (record === null || !(own || principal.permissions.has("data:export"))) throw exportNotFound(id);
  return record;
}

function requireSelf(principal: Principal): void {
  if (principal.onlySession !== undefined) requirePermission(principal, "data:export");
}

export function exportNotFound(id: string): BerthError {
  return new BerthError("export_not_found", `There is no export ${id}.`);
}

function notReady({ id, status, error }: Pick<ExportRecord, "id" | "status" | "error">): BerthError {
  const why =
    status === "failed"
      ? `failed (${error ?? "for no known reason"}): ask for another`
      : status === "queued" || status === "running"
        ? `is ${status}: ask again when it is done`
        : "can be downloaded no more: ask for another";
  return new BerthError("export_not_ready", `The export ${id} ${why}.`, { details: { status } });
}

function exportView(record: ExportRecord): ExportJob {
  const { orgId: _, attempts: __, createdAt, finishedAt, expiresAt, parts, ...rest } = record;
  const at = (time: number) => new Date(time).toISOString();
  return {
    ...rest,
    parts: { ...parts },
    createdAt: at(createdAt),
    finishedAt: finishedAt === null ? null : at(finishedAt),
    expiresAt: expiresAt === null ? null : at(expiresAt),
  };
}

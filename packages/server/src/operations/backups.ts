import type { Backup } from "@berth/contract";
import { requirePermission } from "../auth/permissions.ts";
import type { Principal } from "../auth/principal.ts";
import { BerthError } from "../lib/errors.ts";
import type { BackupRecord } from "../store/backups.ts";
import { auditDraft } from "./audit-draft.ts";
import type { OperationsContext, Origin } from "./context.ts";

/** Begins a backup of everything on this server; where it has got to is read from it. Rejects with `backup_running`. */
export async function startBackup(
  context: OperationsContext,
  principal: Principal,
  origin: Origin,
): Promise<{ readonly backup: Backup; readonly replayed: boolean }> {
  requirePermission(principal, "server:manage");
  const { idempotency } = origin;
  const key = idempotency === null ? undefined : `${principal.orgId} ${idempotency.scope} ${idempotency.key}`;
  const { record, replayed } = await context.data.backups.start(key);
  if (!replayed) {
    const told = { action: "backup.started", target: { type: "backup", id: record.name } };
    await context.store.org(principal.orgId).audit.append(auditDraft(principal, origin, told));
  }
  return { backup: backupView(record), replayed };
}

/** Newest first. */
export async function listBackups(
  context: OperationsContext,
  principal: Principal,
): Promise<readonly Backup[]> {
  requirePermission(principal, "server:manage");
  return (await context.data.backups.list()).map(backupView);
}

/** Rejects with `backup_not_found`. */
export async function getBackup(
  context: OperationsContext,
  principal: Principal,
  { backupName }: { readonly backupName: string },
): Promise<Backup> {
  requirePermission(principal, "server:manage");
  const found = await context.data.backups.find(backupName);
  if (found === null) throw backupNotFound(backupName);
  return backupView(found);
}

export function backupNotFound(name: string): BerthError {
  return new BerthError("backup_not_found", `There is no backup ${name}.`);
}

function backupView({ startedAt, finishedAt, ...record }: BackupRecord): Backup {
  const at = (time: number) => new Date(time).toISOString();
  return {
    ...record,
    startedAt: at(startedAt),
    finishedAt: finishedAt === null ? null : at(finishedAt),
    progress: record.progress === null ? null : { ...record.progress },
  };
}

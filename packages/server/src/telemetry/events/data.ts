import type { Sinks } from "./scope.ts";

export interface BackupEnded {
  readonly name: string;
  readonly status: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly bytes: number | null;
  readonly missingBlobs: number | null;
  readonly error: string | null;
}

/** What happens to copies of what the server holds. */
export function dataEvents({ logger, metrics }: Sinks) {
  return {
    backupEnded({ name, status, startedAt, bytes, missingBlobs, error }: BackupEnded): void {
      metrics.backups.inc({ outcome: status === "done" ? "done" : "failed" });
      if (status !== "done") return logger.error({ backup: name, error }, "a backup failed");
      metrics.lastBackup.set(startedAt / 1_000);
      metrics.lastBackupBytes.set(bytes ?? 0);
      if (missingBlobs === 0) return logger.info({ backup: name, bytes }, "a backup was made");
      logger.warn({ backup: name, bytes, missingBlobs }, "a backup was made, and stored files were missing");
    },
  };
}

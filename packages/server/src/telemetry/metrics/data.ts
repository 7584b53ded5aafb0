import { Counter, Gauge, type Registry } from "prom-client";

/** Copies of what the server holds. */
export function dataMetrics(registry: Registry) {
  const registers = [registry];
  return {
    backups: new Counter({
      name: "berth_backups_total",
      help: "Backups that ended, by outcome.",
      labelNames: ["outcome"],
      registers,
    }),
    lastBackup: new Gauge({
      name: "berth_last_backup_timestamp_seconds",
      help: "When the newest backup of this process was begun; 0: none yet.",
      registers,
    }),
    lastBackupBytes: new Gauge({
      name: "berth_last_backup_bytes",
      help: "Size of that backup's file.",
      registers,
    }),
  };
}

import { duration, integer, path } from "../setting-kinds.ts";
import { optional } from "../setting.ts";

export const dataSettings = {
  backupDir: optional(
    path({
      default: "",
      help: "Where backups go; best a folder on another disk. Without it `backups` in the data folder.",
    }),
  ),
  backupInterval: optional(
    duration({
      default: "24h",
      min: "1m",
      max: "30d",
      help: "How often a backup is made by itself. Without it none is.",
    }),
  ),
  backupKeep: integer({
    default: 7,
    min: 1,
    max: 10_000,
    help: "How many backups are kept; the oldest go, but only by themselves when `backupInterval` is set.",
  }),
  backupMaxAge: optional(
    duration({
      default: "30d",
      min: "1h",
      max: "3650d",
      help: "How old a kept backup may be; the newest one always stays. What was erased is gone from backups when they are older than that.",
    }),
  ),
} as const;

import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fullDiskSentence } from "../../packages/server/test/support/full-disk.ts";
import { endOnSignals, interrupted } from "../../packages/server/test/support/interruption/interruption.ts";
import { ownFolder } from "../../packages/server/test/support/interruption/own-folder.ts";

/**
 * Makes a folder for a bench's files. The bench removes it at its end; when it is interrupted (Ctrl-C, SIGTERM) the folder goes too,
 * after the servers and children that the bench has started. From then on a full disk is told in a sentence, and ends the bench with 1.
 */
export function makeFolder(dir: string, prefix = "berth-bench-"): string {
  endOnSignals();
  process.on("uncaughtException", (error) => {
    if (interrupted.aborted) return;
    const remedy = "Make room there, or name another folder with --dir.";
    console.error(fullDiskSentence(error, { folder: dir, remedy }) ?? error);
    process.exit(1);
  });
  const folder = mkdtempSync(join(dir, prefix));
  ownFolder(folder);
  return folder;
}

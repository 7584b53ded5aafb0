import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { fullDiskSentence } from "../../packages/server/test/support/full-disk.ts";
import { endOnSignals, giveUp } from "../../packages/server/test/support/interruption/interruption.ts";
import { ownFolder } from "../../packages/server/test/support/interruption/own-folder.ts";

/** In which a child that has broken tells why. Milliseconds. */
const lastWordsMs = 500;

/**
 * Makes a folder for a bench's files. The bench removes it at its end; when it is interrupted (Ctrl-C, SIGTERM) the folder goes too,
 * after the servers and children that the bench has started. From then on a full disk is told in a sentence, and ends the bench with 1.
 */
export function makeFolder(dir: string, prefix = "berth-bench-"): string {
  endOnSignals();
  process.on("uncaughtException", (error) => {
    const remedy = "Make room there, or name another folder with --dir.";
    const told = fullDiskSentence(error, { folder: dir, remedy });
    if (told !== null) giveUp(told);
    // A connection that broke may be a child's that is just ending for want of room.
    else setTimeout(() => giveUp(inspect(error)), lastWordsMs);
  });
  const folder = mkdtempSync(join(dir, prefix));
  ownFolder(folder);
  return folder;
}

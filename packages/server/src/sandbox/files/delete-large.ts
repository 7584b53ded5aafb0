import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { Worker } from "node:worker_threads";
import { findProgram, runProgram } from "../run-program.ts";
import { createTurns } from "../turns.ts";
import type { Flattening } from "./flatten-worker.ts";

/**
 * Deleting a folder waits for the disk (1 to 2 ms), and those of one parent wait for each other: in so many folders they wait at the
 * same time.
 */
const lanes = Array.from({ length: 8 }, (_, number) => `lane-${number}`);
/** What somebody goes on adding to is left to a sweep. */
const mostRounds = 5;
const inTurn = createTurns();

/** Deletes all that is in a folder that only this program uses, one such at a time. Needs /proc. */
export function deleteLarge(bin: string): Promise<void> {
  return inTurn("", async () => {
    const rm = findProgram("rm");
    if (rm === null) throw new Error("rm is not installed: it is a part of coreutils");
    for (let round = 1; (await readdir(bin)).length > 0; round++) {
      await flatten({ bin, lanes });
      // No path in them grows, and rm follows no link.
      const done = await Promise.allSettled(
        lanes.map((lane) => runProgram(rm, ["-rf", "--", `${bin}/${lane}`])),
      );
      for (const one of done) if (one.status === "rejected" && round === mostRounds) throw one.reason;
    }
  });
}

async function flatten(flattening: Flattening): Promise<void> {
  const thread = new Worker(new URL("./flatten-worker.ts", import.meta.url), {
    workerData: flattening,
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 128 },
  });
  try {
    await once(thread, "message");
  } finally {
    await thread.terminate();
  }
}

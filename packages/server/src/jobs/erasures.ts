import type { OperationsContext } from "../operations/context.ts";
import { runErasure } from "../operations/run-erasure.ts";
import type { Job } from "./runner.ts";

const second = 1_000;
const atOnce = 20;

/** Goes on with the erasures that are under way. One that something hinders is tried again in the next round. */
export function erasuresJob(context: OperationsContext): Job {
  return {
    name: "erasures",
    intervalMs: second,
    async run(signal) {
      for (const erasure of await context.store.system.data.openErasures(atOnce)) {
        if (signal.aborted) return;
        await runErasure(context, erasure, signal);
      }
    },
  };
}

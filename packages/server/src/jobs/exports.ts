import { buildExport } from "../operations/build-export.ts";
import type { OperationsContext } from "../operations/context.ts";
import type { Job } from "./runner.ts";

const second = 1_000;
const expiredAtOnce = 100;

/** Makes the exports that were asked for, one after the other, and deletes those whose time is over. */
export function exportsJob(context: OperationsContext): Job {
  const { store, data } = context;
  return {
    name: "exports",
    intervalMs: second,
    async run(signal) {
      for (const { id } of await store.system.data.expireExports(expiredAtOnce))
        await data.exportFiles.delete(id);
      while (!signal.aborted) {
        const next = await store.system.data.takeExport();
        if (next === null) return;
        await buildExport(context, next, signal);
      }
    },
  };
}

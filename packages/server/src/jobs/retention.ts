import type { OperationsContext } from "../operations/context.ts";
import { keepRetention } from "../operations/keep-retention.ts";
import { cutAudit } from "./cut-audit.ts";
import type { Job } from "./runner.ts";

const hour = 3_600_000;
const day = 24 * hour;

/** Deletes what organizations want to keep no longer: sessions that nobody has used, usage records, audit entries. */
export function retentionJob(context: OperationsContext): Job {
  const { store, clock } = context;
  return {
    name: "retention",
    intervalMs: hour,
    async run(signal) {
      for (const { orgId, settings } of await store.system.data.retentions()) {
        if (signal.aborted) return;
        const auditDays = await keepRetention(context, { orgId, settings, signal });
        if (auditDays === null) continue;
        const before = clock.now() - auditDays * day;
        await cutAudit({ store, key: context.audit.key, clock, orgId, before, signal });
      }
    },
  };
}

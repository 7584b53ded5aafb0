import type { AuditAnchors } from "../auth/audit-anchors.ts";
import { sealEntries } from "../auth/audit-chain.ts";
import type { Clock } from "../lib/clock.ts";
import type { SystemAudit } from "../store/audit.ts";
import type { Job } from "./runner.ts";

export interface SealerOptions {
  readonly audit: Pick<SystemAudit, "unsealedOrgs" | "nextToSeal" | "seal">;
  readonly anchors: AuditAnchors;
  readonly key: Buffer;
  readonly clock: Clock;
}

/** Entries that one transaction seals, and organizations that one round looks at. */
const atOnce = 500;
const orgsAtOnce = 1_000;

/** Links what was written to the chains: within 1 s of its commit, as long as the disk keeps up. */
export function sealAuditJob(options: SealerOptions): Job {
  const { audit, anchors, key, clock } = options;

  async function sealOrg(orgId: string, signal: AbortSignal | null): Promise<void> {
    for (;;) {
      if (signal?.aborted === true) return;
      const { head, entries } = await audit.nextToSeal(orgId, atOnce);
      const sealed = sealEntries(key, head, entries);
      const last = sealed.at(-1);
      // Somebody else sealed them first: the next round begins with what is left.
      if (last === undefined || !(await audit.seal({ orgId, head, entries: sealed }))) return;
      anchors.note({ orgId, number: last.number, mac: last.mac, at: clock.now() });
      if (entries.length < atOnce) return;
    }
  }

  async function sealAll(signal: AbortSignal | null): Promise<void> {
    for (const orgId of await audit.unsealedOrgs(orgsAtOnce)) await sealOrg(orgId, signal);
  }

  return {
    name: "seal-audit",
    intervalMs: 250,
    run: (signal) => sealAll(signal),
    async atStop() {
      await sealAll(null);
      await anchors.flush();
    },
  };
}

/** Writes the ends of the chains to the file outside the store. */
export function anchorAuditJob({ anchors }: Pick<SealerOptions, "anchors">): Job {
  return { name: "anchor-audit", intervalMs: 60_000, run: () => anchors.flush() };
}

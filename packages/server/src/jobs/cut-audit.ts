import { sealCut } from "../auth/audit-chain.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/id.ts";
import type { Store } from "../store/store.ts";

export interface AuditCutting {
  readonly store: Pick<Store, "org" | "system">;
  readonly key: Buffer;
  readonly clock: Clock;
  readonly orgId: string;
  /** Sealed entries before this time go, milliseconds since 1970. */
  readonly before: number;
  readonly signal?: AbortSignal;
}

const page = 1_000;

/**
 * Removes an organization's older audit entries and keeps the rest verifiable: a sealed cut takes their place in the chain. It is
 * told in the log itself. Returns how many went.
 */
export async function cutAudit({ store, key, clock, orgId, before, signal }: AuditCutting): Promise<number> {
  const { audit } = store.org(orgId);
  const last = await lastBefore(audit, before, (await audit.chain()).cut?.number ?? 0);
  if (last === null) return 0;
  const cut = sealCut(key, orgId, { ...last, at: clock.now() });
  await audit.append({
    id: newId("audit", clock.now()),
    actor: { type: "system", id: "retention", name: "retention" },
    credential: null,
    action: "audit.cut",
    target: { type: "org", id: orgId },
    outcome: "done",
    requestId: null,
    address: null,
    details: { upTo: last.number, before: new Date(before).toISOString() },
  });
  let removed = 0;
  for (;;) {
    const count = await store.system.audit.cut({ orgId, cut, limit: page });
    removed += count;
    if (count === 0 || signal?.aborted === true) return removed;
  }
}

async function lastBefore(
  audit: ReturnType<Store["org"]>["audit"],
  before: number,
  after: number,
): Promise<{ number: number; mac: string } | null> {
  const { items } = await audit.list({ to: before, limit: 1 });
  const [newest] = items;
  // Entries come in the order of their times, so the newest sealed one before that time is the end of what goes.
  if (newest?.seal == null || newest.seal.number <= after) return null;
  return { number: newest.seal.number, mac: newest.seal.mac };
}

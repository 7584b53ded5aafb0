import type { Clock } from "../lib/clock.ts";
import type { OrgShare } from "../store/limits.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** What each organization's fair share goes by, remembered for a while. */
export interface OrgShares {
  /** At once: as it was read last, however long ago; the usual share of one that was never read. */
  known(orgId: string): OrgShare;
  /** Read anew when it is older than a few seconds. Never rejects: when it cannot be read, what is known counts. */
  of(orgId: string): Promise<OrgShare>;
}

interface Known {
  readonly share: OrgShare;
  /** On the monotonic clock. */
  readonly readAt: number;
}

const usual: OrgShare = { weight: 1, runningSessions: null };
const freshMs = 5_000;
/** Organizations that are remembered. */
const most = 10_000;

export function createOrgShares(options: {
  readonly store: Pick<Store, "org">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "unexpectedError">;
}): OrgShares {
  const { store, clock, telemetry } = options;
  const remembered = new Map<string, Known>();
  const reading = new Map<string, Promise<OrgShare>>();

  async function read(orgId: string): Promise<OrgShare> {
    try {
      const share = await store.org(orgId).limits.share();
      if (remembered.size >= most) remembered.clear();
      remembered.set(orgId, { share, readAt: clock.monotonic() });
      return share;
    } catch (error) {
      telemetry.unexpectedError({ where: "org shares", error, orgId });
      return remembered.get(orgId)?.share ?? usual;
    } finally {
      reading.delete(orgId);
    }
  }

  function of(orgId: string): Promise<OrgShare> {
    const known = remembered.get(orgId);
    if (known !== undefined && clock.monotonic() - known.readAt < freshMs)
      return Promise.resolve(known.share);
    const under = reading.get(orgId) ?? read(orgId);
    reading.set(orgId, under);
    return under;
  }

  return {
    known(orgId) {
      const known = remembered.get(orgId);
      if (known === undefined || clock.monotonic() - known.readAt >= freshMs) void of(orgId);
      return known?.share ?? usual;
    },
    of,
  };
}

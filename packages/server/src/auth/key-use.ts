import { type Clock, every } from "../lib/clock.ts";
import type { SystemIdentity } from "../store/identity.ts";

/** Notes when API keys are used, many at once: a request must not wait for a write. */
export interface KeyUse {
  note(key: { readonly orgId: string; readonly id: string }): void;
  /** Writes what is noted and ends. */
  stop(): Promise<void>;
}

export interface KeyUseOptions {
  readonly identity: Pick<SystemIdentity, "touchApiKeys">;
  readonly clock: Clock;
  /** How often the uses are written, milliseconds. */
  readonly everyMs?: number;
  readonly report: (error: unknown) => void;
}

export function createKeyUse({ identity, clock, everyMs = 10_000, report }: KeyUseOptions): KeyUse {
  let used = new Map<string, { readonly orgId: string; readonly id: string; readonly at: number }>();

  async function write(): Promise<void> {
    if (used.size === 0) return;
    const batch = [...used.values()];
    used = new Map();
    await identity.touchApiKeys(batch).catch(report);
  }

  const timer = every(clock, everyMs, write);
  return {
    note({ orgId, id }) {
      used.set(id, { orgId, id, at: clock.now() });
    },
    async stop() {
      timer.cancel();
      await write();
    },
  };
}

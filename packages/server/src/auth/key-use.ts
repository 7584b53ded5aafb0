import { type Clock, every } from "../lib/clock.ts";

/** Notes when API keys or share links are used, many at once: a request must not wait for a write. */
export interface KeyUse {
  note(key: { readonly orgId: string; readonly id: string }): void;
  /** Writes what is noted and ends. */
  stop(): Promise<void>;
}

interface Used {
  readonly orgId: string;
  readonly id: string;
  /** When it was last used, milliseconds since 1970. */
  readonly at: number;
  /** How often, since this was written before. */
  readonly count: number;
}

export interface KeyUseOptions {
  readonly write: (used: readonly Used[]) => Promise<void>;
  readonly clock: Clock;
  /** How often the uses are written, milliseconds. */
  readonly everyMs?: number;
  readonly report: (error: unknown) => void;
}

export function createKeyUse({ write, clock, everyMs = 10_000, report }: KeyUseOptions): KeyUse {
  let used = new Map<string, Used>();

  async function flush(): Promise<void> {
    if (used.size === 0) return;
    const batch = [...used.values()];
    used = new Map();
    await write(batch).catch(report);
  }

  const timer = every(clock, everyMs, flush);
  return {
    note({ orgId, id }) {
      used.set(id, { orgId, id, at: clock.now(), count: (used.get(id)?.count ?? 0) + 1 });
    },
    async stop() {
      timer.cancel();
      await flush();
    },
  };
}

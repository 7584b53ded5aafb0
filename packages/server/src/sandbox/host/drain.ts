import { type Clock, every, type TimerHandle } from "../../lib/clock.ts";
import type { SandboxProvider } from "../sandbox.ts";

export interface DrainLog {
  info(details: Readonly<Record<string, unknown>>, message: string): void;
  warn(details: Readonly<Record<string, unknown>>, message: string): void;
}

/** What is on a host. */
export interface HostRemains {
  readonly sandboxes: number;
  readonly workspaces: number;
}

/** How often a host that drains looks whether it is empty, milliseconds. */
const lookMs = 500;
/** How often it says how far it is. */
const sayMs = 5_000;
/** Servers try again after a minute what they could not move. When none has asked for a workspace for longer, nobody moves them. */
const nobodyMs = 75_000;

interface Drain {
  /** Resolves with what is left when nothing is, when nobody moves what is, or when the time is over. */
  readonly done: Promise<HostRemains>;
  readonly began: () => boolean;
  /** Idempotent. */
  readonly begin: () => void;
  /** Somebody asked for a workspace. */
  readonly asked: () => void;
  readonly end: () => void;
}

/** Waits until the sandboxes of a host have ended and servers have moved its workspaces to others. */
export function createDrain(options: {
  readonly provider: SandboxProvider;
  readonly clock: Clock;
  readonly drainMs: number;
  readonly log?: DrainLog;
}): Drain {
  const { provider, clock, drainMs, log } = options;
  const done = Promise.withResolvers<HostRemains>();
  let timers: readonly TimerHandle[] | null = null;
  let looking: Promise<HostRemains> | null = null;
  let askedAt = 0;
  let said = { at: -Infinity, story: "" };

  async function remains(): Promise<HostRemains> {
    const [host] = await provider.hosts();
    if (host === undefined) return { sandboxes: 0, workspaces: 0 };
    return { sandboxes: host.live, workspaces: (await provider.workspaces.list(host.name)).length };
  }
  const see = () => (looking ??= remains().finally(() => (looking = null)));

  function say(left: HostRemains): void {
    const story = JSON.stringify(left);
    if (story === said.story || clock.monotonic() - said.at < sayMs) return;
    said = { at: clock.monotonic(), story };
    log?.info({ ...left }, "this host drains");
  }

  async function look(): Promise<void> {
    try {
      const left = await see();
      say(left);
      if (left.sandboxes > 0) askedAt = clock.monotonic();
      const nobody = clock.monotonic() - askedAt > nobodyMs;
      if (left.sandboxes === 0 && (left.workspaces === 0 || nobody)) done.resolve(left);
    } catch (error) {
      log?.warn({ err: error }, "it could not be seen what is left on this host");
    }
  }

  async function giveUp(): Promise<void> {
    // What cannot be counted is not waited for.
    done.resolve(await see().catch(() => ({ sandboxes: 0, workspaces: 0 })));
  }

  return {
    done: done.promise,
    began: () => timers !== null,
    begin() {
      if (timers !== null) return;
      askedAt = clock.monotonic();
      timers = [clock.after(drainMs, () => void giveUp()), every(clock, lookMs, look)];
      void look();
    },
    asked: () => void (askedAt = clock.monotonic()),
    end() {
      for (const timer of timers ?? []) timer.cancel();
    },
  };
}

import { type Clock, every, pause, type TimerHandle } from "../lib/clock.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import type { Capabilities, SandboxProvider } from "../sandbox/sandbox.ts";
import type { Store } from "../store/store.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AllocationContext } from "./allocation-context.ts";
import { type AllocationParts, endAll, openParts } from "./allocation-parts.ts";
import type { AllocationSettings } from "./allocation-settings.ts";
import { judged } from "./isolating.ts";
import { sandboxGone } from "./counted-sandbox.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { SandboxDirectory } from "./sandbox-directory.ts";
import type { SessionSandboxes } from "./session-sandboxes.ts";
import type { FormerWorkspace } from "./session-workspaces.ts";
import { createStoredDirectory } from "./stored-directory.ts";
import { deadHostMs } from "./watched-hosts.ts";

export interface AllocationOptions {
  readonly store: Store;
  readonly provider: SandboxProvider;
  /** Ends the provider with all that it was made of. Default: its `close`. */
  readonly closeProvider?: () => Promise<void>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: AllocationSettings;
  /** Of this server among those on the same store. Default: a new one. */
  readonly instanceId?: string;
  /** Where an earlier version of Berth put the files of a session. */
  readonly formerWorkspace?: FormerWorkspace;
  /** Why what a provider can give is not enough for this server, or null; it gives out nothing then. */
  readonly refuse?: (given: Capabilities) => string | null;
  /** For how long a host must be unhealthy to count as dead, milliseconds. Default: 30 s. */
  readonly deadHostMs?: number;
  /** Told where it is; for tests. */
  readonly step?: AllocationContext["step"];
}

/** Gives sessions their sandboxes, takes them back, and shows them. */
export interface Allocation {
  readonly sandboxes: SessionSandboxes;
  readonly directory: SandboxDirectory;
}

const minute = 60_000;
const lookMs = 5_000;
const noteMs = 2_000;
const pruneMs = 60 * minute;
const closeMs = 10_000;
const day = 24 * 60 * minute;
/** What has ended is of interest for so long: sandboxes to whoever looks for a fault, allocations as history. */
const kept = { sandboxesMs: day, allocationsMs: 90 * day };

/** Opens allocation on a store and a provider, which it closes with itself. Its upkeep begins when it is first asked for something. */
export function createAllocation(options: AllocationOptions): Allocation {
  const parts = openParts(contextOf(options), {
    former: options.formerWorkspace ?? null,
    deadMs: options.deadHostMs ?? deadHostMs,
  });
  const { context, connecting, workspaces, ending } = parts;
  const life = createLife(parts, options.closeProvider ?? (() => options.provider.close()));
  const { provider } = options;
  const sandboxes: SessionSandboxes = {
    kind: provider.kind,
    probe: () => context.probe(),
    async connect(request) {
      await life.start();
      return await connecting.connect(request);
    },
    workspace: (place, begin = async () => undefined) => workspaces.begin(place, begin),
    files: (place) => workspaces.files(place),
    destroy: (place, within) =>
      within === undefined
        ? connecting.destroy(place)
        : inTime(context.clock, { work: connecting.destroy(place), ending, ...within }),
    async release(place) {
      await connecting.release(place);
    },
    async reapLeftovers() {
      await life.start();
      return await life.lookAndSweep();
    },
    close: () => life.close(),
  };
  const stored = createStoredDirectory({ context, owners: parts.owners, ending, open: parts.open });
  const directory: SandboxDirectory = {
    ...stored,
    async connect(orgId, sandboxId, wish) {
      await life.start();
      return await stored.connect(orgId, sandboxId, wish);
    },
  };
  return { sandboxes, directory };
}

/** What is not done in time goes on behind the caller's back, and is waited for when this server ends. */
async function inTime<T>(
  clock: Clock,
  {
    work,
    ending,
    withinMs,
  }: { readonly work: Promise<T>; readonly ending: EndingSandboxes; readonly withinMs: number },
): Promise<T | "left"> {
  ending.behind(work.then(() => undefined));
  const over = new AbortController();
  const late = pause(clock, withinMs, over.signal).then(() => "left" as const);
  return await Promise.race([work.catch(() => "left" as const), late]).finally(() => over.abort());
}

function contextOf(options: AllocationOptions): AllocationContext {
  const { store, clock, instanceId = newId("worker", clock.now()), step = failpoint } = options;
  let deployment: Promise<string> | null = null;
  const ask = () =>
    (deployment ??= store.system.sandboxes.deployment().catch((error: unknown) => {
      deployment = null;
      throw error;
    }));
  const { provider, refuse = () => null } = options;
  const probe = async () => judged(await provider.probe(), refuse);
  return { ...options, instanceId, step, deployment: ask, probe };
}

/** What goes on by itself, from the first use to the end. */
function createLife(parts: AllocationParts, closeProvider: () => Promise<void>) {
  const { context, upkeep, emptying, sweep, pool, instances, line } = parts;
  const { store, clock, telemetry } = context;
  const timers: TimerHandle[] = [];
  let starting: Promise<void> | null = null;
  let closing: Promise<void> | null = null;

  const quietly = (work: () => Promise<unknown>) => async () => {
    try {
      await work();
    } catch (error) {
      telemetry.unexpectedError({ where: "sandboxes", error });
    }
  };
  async function look(): Promise<number> {
    const ended = await upkeep.look();
    pool.refill();
    line.reconsider();
    return ended;
  }
  async function sweepAll(): Promise<number> {
    const swept = await sweep.run();
    await removeOrphaned(parts);
    return swept;
  }
  async function begin(): Promise<void> {
    await instances.start();
    timers.push(
      jittered(clock, lookMs, quietly(look)),
      // In a lane of its own: copies take longer than a look may.
      jittered(
        clock,
        lookMs,
        quietly(() => emptying.run()),
      ),
      every(
        clock,
        noteMs,
        quietly(() => upkeep.noteUses()),
      ),
      every(
        clock,
        minute,
        quietly(() => upkeep.renew()),
      ),
      every(clock, minute, quietly(sweepAll)),
      every(
        clock,
        pruneMs,
        quietly(() => store.system.sandboxes.prune(kept)),
      ),
    );
  }
  async function end(): Promise<void> {
    for (const timer of timers) timer.cancel();
    pool.close();
    line.close();
    const over = new AbortController();
    const ended = Promise.all([
      starting === null ? undefined : quietly(() => endAll(parts))(),
      quietly(() => emptying.close())(),
    ]);
    await Promise.race([ended.finally(() => over.abort()), pause(clock, closeMs, over.signal)]);
    if (starting !== null) await quietly(() => instances.stop())();
    await closeProvider();
  }

  return {
    async start(): Promise<void> {
      if (closing !== null) throw sandboxGone();
      await (starting ??= begin().catch((error: unknown) => {
        starting = null;
        throw error;
      }));
    },
    lookAndSweep: async (): Promise<number> => (await look()) + (await sweepAll()),
    close: () => (closing ??= end()),
  };
}

/** Files of sessions that are deleted. One host that does not answer keeps nobody else's. */
async function removeOrphaned({ context, connecting }: AllocationParts): Promise<void> {
  const { store, telemetry } = context;
  const orphaned = await store.system.sandboxes.orphanedWorkspaces(100);
  const removals = await Promise.allSettled(orphaned.map((place) => connecting.destroy(place)));
  for (const removal of removals)
    if (removal.status === "rejected")
      telemetry.logger.debug({ err: removal.reason as unknown }, "files of a deleted session are left");
}

/** As `every`, a tenth sooner or later each time, so that several servers do not look at the same moment. */
function jittered(clock: Clock, ms: number, call: () => Promise<void>): TimerHandle {
  let handle: TimerHandle | null = null;
  let cancelled = false;
  const schedule = () => {
    if (cancelled) return;
    handle = clock.after(Math.round(ms * (0.9 + Math.random() * 0.2)), () => void call().finally(schedule));
  };
  schedule();
  return {
    cancel() {
      cancelled = true;
      handle?.cancel();
    },
  };
}

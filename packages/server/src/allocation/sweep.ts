import { backoffMs } from "../lib/backoff.ts";
import type { SandboxHostInfo, SandboxInfo } from "../sandbox/sandbox.ts";
import type { LiveSandbox, SandboxRecord } from "../store/sandboxes.ts";
import type { AllocationContext } from "./allocation-context.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { MovingWorkspaces } from "./moving-workspaces.ts";

/** An instance that has no row may be so old before it is ended: it may be somebody's whose commit is on its way. */
const graceMs = 60_000;
const retry = { baseMs: 60_000, capMs: 15 * 60_000 };

interface Failing {
  readonly attempt: number;
  /** Monotonic. */
  readonly until: number;
  /** It was unhealthy meanwhile: once it is well again, it is not waited any longer. */
  readonly unwell: boolean;
}

/**
 * Compares what hosts have with what the store says. Ends only what a complete list of this deployment shows and no row knows; a list
 * that is partial or fails ends nothing, and its host is asked less often.
 */
export class Sweep {
  readonly #context: AllocationContext;
  readonly #ending: EndingSandboxes;
  readonly #moving: MovingWorkspaces;
  readonly #failing = new Map<string, Failing>();

  constructor(context: AllocationContext, ending: EndingSandboxes, moving: MovingWorkspaces) {
    this.#context = context;
    this.#ending = ending;
    this.#moving = moving;
  }

  /** Sweeps every host. Returns how many things it ended or gave up for lost. */
  async run(): Promise<number> {
    const hosts = await this.#context.provider.hosts();
    const ended = await Promise.all(hosts.map((host) => this.#sweepQuietly(host)));
    return ended.reduce((sum, count) => sum + count, 0);
  }

  async #sweepQuietly({ name: host, healthy }: SandboxHostInfo): Promise<number> {
    const { clock, telemetry } = this.#context;
    const failing = this.#failing.get(host);
    const unwell = !healthy || failing?.unwell === true;
    const isBack = healthy && unwell;
    try {
      // Also of a host that is away: what is nobody's grows old meanwhile, and goes as soon as the host is back.
      await this.#moving.noteLeftovers(host);
      if (failing !== undefined && clock.monotonic() < failing.until && !isBack) {
        this.#failing.set(host, { ...failing, unwell });
        return 0;
      }
      const ended = await this.#sweep(host);
      this.#failing.delete(host);
      return ended;
    } catch (error) {
      const attempt = failing?.attempt ?? 0;
      // Some of it is waited in any case, so that a host that is down is not asked with each look.
      const waitMs = attempt === 0 ? 0 : retry.baseMs + backoffMs({ attempt, ...retry });
      this.#failing.set(host, { attempt: attempt + 1, until: clock.monotonic() + waitMs, unwell: !healthy });
      telemetry.sandboxSweepFailed({ host, error });
      return 0;
    }
  }

  async #sweep(host: string): Promise<number> {
    const { store, provider, telemetry, deployment } = this.#context;
    const own = await deployment();
    // A row is there before its instance and goes after it. So what is listed has a row that is read afterwards, and a row that was
    // there before and is there still has an instance that is listed.
    const before = await store.system.sandboxes.live();
    const { items, unreadable } = await provider.list(host, own);
    const after = await store.system.sandboxes.live();
    const orphans = await this.#endOrphans(
      items.filter(({ deployment: its }) => its === own),
      after,
    );
    const lost = await this.#markLost(host, { before, after, items });
    const remains = await provider.sweep(host, own);
    await this.#moving.removeLeftovers(host, items);
    telemetry.sandboxesSwept({
      host,
      removed: orphans + remains.removed,
      foreign: unreadable + remains.foreign,
    });
    return orphans + lost + remains.removed;
  }

  /** Instances that no row knows, and of whose row another incarnation lives. */
  async #endOrphans(items: readonly SandboxInfo[], rows: readonly LiveSandbox[]): Promise<number> {
    const { provider, telemetry } = this.#context;
    const known = new Set(rows.map(markOf));
    let ended = 0;
    for (const item of items) {
      if (known.has(markOf(item)) || item.ageMs < graceMs) continue;
      const { id, host, incarnation } = item;
      try {
        await provider.destroy({ id, host }, { incarnation, reason: "orphan" });
        ended += 1;
      } catch (error) {
        telemetry.sandboxDestroyRetried({ sandboxId: id, error });
      }
    }
    return ended;
  }

  async #markLost(
    host: string,
    seen: {
      readonly before: readonly LiveSandbox[];
      readonly after: readonly LiveSandbox[];
      readonly items: readonly SandboxInfo[];
    },
  ): Promise<number> {
    const listed = new Set(seen.items.map(markOf));
    const wereReady = new Set(seen.before.filter(isReady).map(markOf));
    const missing = seen.after.filter(
      (row) => row.host === host && isReady(row) && wereReady.has(markOf(row)) && !listed.has(markOf(row)),
    );
    let lost = 0;
    for (const row of missing) {
      // Asked once more, for this one alone: nobody loses a sandbox to a list that was read too early.
      const info = await this.#context.provider.get({ id: row.id, host });
      if (info?.incarnation === row.incarnation) continue;
      await this.#ending.markLost(row);
      lost += 1;
    }
    return lost;
  }
}

function isReady({ state }: SandboxRecord): boolean {
  return state === "warm" || state === "active";
}

function markOf({ id, incarnation }: { readonly id: string; readonly incarnation: string }): string {
  return `${id} ${incarnation}`;
}

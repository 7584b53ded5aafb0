import { asBerthError } from "../lib/errors.ts";
import type { LiveSandbox, SandboxRecord } from "../store/sandboxes.ts";
import { type AllocationContext, providerTtlMs } from "./allocation-context.ts";
import { eachOf } from "./each-of.ts";
import type { EndingSandboxes } from "./ending-sandboxes.ts";
import type { GivingSandboxes } from "./giving-sandboxes.ts";
import type { Held, HeldSandboxes } from "./held-sandboxes.ts";
import type { Instances } from "./instances.ts";
import { createMs, type MakingSandboxes } from "./making-sandboxes.ts";
import type { WarmPool } from "./warm-pool.ts";
import type { WatchedHosts } from "./watched-hosts.ts";
import type { SandboxPolicy } from "../sandbox/sandbox.ts";

export interface UpkeepParts {
  readonly context: AllocationContext;
  readonly held: HeldSandboxes;
  readonly making: MakingSandboxes;
  readonly ending: EndingSandboxes;
  readonly giving: GivingSandboxes;
  readonly instances: Instances;
  readonly pool: WarmPool;
  readonly hosts: WatchedHosts;
}

const warmMs = 30 * 60_000;
/** How long after the most that a sandbox may live its commands may go on: one that begins another whenever one ends has no end. */
const graceMs = 10 * 60_000;
const atOnce = 8;
const goneCodes: readonly string[] = ["sandbox_not_found", "sandbox_lost", "sandbox_stale"];

/**
 * Takes back what nobody uses and looks after what is left. Ages are counted by this server's monotonic clock from when it first saw
 * a row in its state: no step of a wall clock ends anything.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  /** Since when, by id and state. */
  readonly #seen = new Map<string, number>();

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Looks at every sandbox once. Returns how many it ended or gave up for lost. */
  async look(): Promise<number> {
    const { context, instances, held } = this.#parts;
    const known = new Set(held.all().map(({ key }) => key.id));
    await this.noteUses();
    await instances.observe();
    await this.#parts.hosts.look();
    const rows = await context.store.system.sandboxes.live();
    this.#forget(rows, known);
    context.telemetry.sandboxesCounted(countStates(rows));
    let ended = 0;
    await eachOf(rows, atOnce, async (row) => {
      try {
        if (await this.#lookAt(row)) ended += 1;
      } catch (error) {
        context.telemetry.unexpectedError({ where: "sandbox upkeep", error });
      }
    });
    return ended;
  }

  /** Puts off the end of what this server looks after; what its host no longer knows is lost. */
  async renew(): Promise<void> {
    const { context, ending } = this.#parts;
    const rows = await context.store.system.sandboxes.live();
    const own = rows.filter(
      ({ ownerInstance, state }) =>
        ownerInstance === context.instanceId && (state === "warm" || state === "active"),
    );
    await eachOf(own, atOnce, async (row) => {
      const { id, incarnation, host } = row;
      if (host === null) return;
      try {
        await context.provider.renew({ id, host }, { incarnation, ttlMs: providerTtlMs });
      } catch (error) {
        if (goneCodes.includes(asBerthError(error).code)) await ending.markLost(row);
        else context.telemetry.logger.warn({ err: error, sandboxId: id }, "a sandbox could not be renewed");
      }
    });
  }

  /** Notes what was used since the last time, in one commit. */
  async noteUses(): Promise<void> {
    const { context, held } = this.#parts;
    const now = context.clock.monotonic();
    const used = held.all().filter((one) => one.busy > 0 || one.unnoted.size > 0);
    if (used.length === 0) return;
    const uses = used.map((one) => ({
      ...one.key,
      sessionIds: [...one.unnoted].filter((sessionId) => sessionId !== ""),
      agoMs: one.busy > 0 ? 0 : Math.max(0, Math.round(now - one.usedAt)),
      guest: one.guest !== null,
    }));
    for (const one of used) {
      if (one.busy === 0) one.unnoted.clear();
      if (one.guest !== null) one.guest.notedAt = now;
    }
    const gone = await context.store.system.sandboxes.touch(uses);
    for (const id of gone) this.#drop(id);
  }

  async #lookAt(row: LiveSandbox): Promise<boolean> {
    const { context, instances, ending, making, pool } = this.#parts;
    if (row.ownerInstance !== context.instanceId) {
      return instances.isDead(row.ownerInstance) ? await this.#adopt(row) : false;
    }
    if (row.state !== "destroying" && row.host !== null && this.#parts.hosts.isDead(row.host)) {
      await ending.markLost(row, "host_lost");
      return true;
    }
    const ageMs = context.clock.monotonic() - (this.#seen.get(markOf(row)) ?? context.clock.monotonic());
    switch (row.state) {
      case "requested":
      case "creating":
      case "claimed":
        if (making.isMaking(row.id) && ageMs <= createMs) return false;
        return await ending.endRow(row, { reason: "not_made" });
      case "warm":
        // On a host that drains it is of no use to anybody, and keeps the host.
        if (!pool.isStale(row) && !this.#parts.hosts.isDraining(row.host) && ageMs <= warmMs) return false;
        return await ending.endRow(row, { reason: "stale" });
      case "active":
        return await this.#lookAtActive(row);
      case "destroying":
        return ending.isDue(row.id) ? await ending.finish(row) : false;
      default:
        return false;
    }
  }

  async #lookAtActive(row: LiveSandbox): Promise<boolean> {
    const { context, held, ending, making } = this.#parts;
    const one = held.find(row.id);
    if (row.sessionGone) return await ending.endRow(row, { reason: "session_deleted" });
    if (one === null) return making.isMaking(row.id) ? false : await this.#adopt(row);
    if (one.ending) return false;
    const now = context.clock.monotonic();
    const overdueMs = now - one.bornAt - context.settings.maxLifeMs;
    const evenIfGuest = overdueMs >= graceMs;
    // What is only held open does not count here, or one that follows would keep it for ever.
    if (evenIfGuest || (overdueMs >= 0 && one.commands === 0))
      return await ending.endHeld(one, { reason: "max_life", evenIfGuest });
    if (one.busy === 0 && now - one.usedAt >= one.idleTtlMs)
      return await ending.endHeld(one, { reason: "idle" });
    return false;
  }

  /** Goes on with what a dead server left, if it still lives. True when it does not. */
  async #adopt(row: SandboxRecord): Promise<boolean> {
    const { context, ending, held } = this.#parts;
    const { id, incarnation, host, state } = row;
    if (row.deployment !== (await context.deployment())) {
      // Of before a restore: its host may still have it, and then it is another server's.
      return (
        (await context.store.system.sandboxes.move({
          id,
          incarnation,
          from: ["requested", "creating", "warm", "claimed", "active", "destroying"],
          to: "lost",
          reason: "restored",
        })) !== null
      );
    }
    const from = [state];
    const adopted = await context.store.system.sandboxes.move({
      id,
      incarnation,
      from,
      to: state,
      ownedBy: row.ownerInstance,
      newOwner: context.instanceId,
    });
    if (adopted === null) return false;
    if (state === "destroying") return await ending.finish(adopted);
    if (host === null || (state !== "warm" && state !== "active"))
      return await ending.endRow(adopted, { reason: "not_made" });
    const info = await context.provider.get({ id, host });
    if (info?.incarnation !== incarnation) {
      await ending.markLost(adopted);
      return true;
    }
    await context.provider.renew({ id, host }, { incarnation, ttlMs: providerTtlMs });
    if (state === "warm") return false;
    const guest = held.find(id);
    if (guest === null) await this.#hold(adopted, info.ageMs);
    else guest.guest = null;
    return false;
  }

  async #hold(record: SandboxRecord, ageMs: number): Promise<void> {
    const { giving } = this.#parts;
    const { orgId, userId, sessionId, strategy } = record;
    if (orgId === null || userId === null || sessionId === null || strategy === null) return;
    const owner = { orgId, userId, sessionId, strategy };
    giving.hold(record, { owner, policy: record.policy as SandboxPolicy, ageMs });
  }

  /** What has ended elsewhere is given out no more. */
  #forget(rows: readonly LiveSandbox[], known: ReadonlySet<string>): void {
    const now = this.#parts.context.clock.monotonic();
    const marks = new Set(rows.map(markOf));
    for (const mark of this.#seen.keys()) if (!marks.has(mark)) this.#seen.delete(mark);
    for (const mark of marks) if (!this.#seen.has(mark)) this.#seen.set(mark, now);
    const active = new Set(rows.filter(({ state }) => state === "active").map(({ id }) => id));
    for (const id of known) if (!active.has(id)) this.#drop(id);
  }

  #drop(id: string): void {
    const held: Held | null = this.#parts.held.find(id);
    if (held !== null && !held.ending) this.#parts.ending.drop(held);
  }
}

function markOf({ id, state }: SandboxRecord): string {
  return `${id} ${state}`;
}

function countStates(rows: readonly SandboxRecord[]): Record<string, number> {
  const counts: Record<string, number> = { creating: 0, warm: 0, active: 0, destroying: 0 };
  for (const { state } of rows) {
    const shown = state === "requested" || state === "claimed" ? "creating" : state;
    counts[shown] = (counts[shown] ?? 0) + 1;
  }
  return counts;
}

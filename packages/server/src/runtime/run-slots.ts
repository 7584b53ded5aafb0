import type { Counter } from "../coordination/counter.ts";
import { type Clock, every, type TimerHandle } from "../lib/clock.ts";
import { FairLine } from "../lib/fair-line.ts";
import type { OrgShares } from "../limits/org-shares.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Held } from "./context.ts";

/** What may hold a slot. */
export interface SlotHolder {
  readonly held: Held;
  /** Whose session it is: the owners of an organization take turns. */
  readonly owner: string;
  /** It has a slot now. */
  nudge(): void;
}

export interface RunSlotsOptions {
  /** Runs that go on at once in this process. */
  readonly size: number;
  /** No organization holds more than four fifths of them, so that a run of another one finds a place at once. */
  readonly fair: boolean;
  readonly shares: OrgShares;
  /** Counts an organization's runs over all processes; a crash frees what it held. */
  readonly counter: Pick<Counter, "takeSlot" | "freeSlot">;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "unexpectedError">;
  /** An organization that could not get a slot could get one now. */
  readonly onRoom?: () => void;
}

const fairShare = 0.8;

/**
 * Bounds how many runs go on at once, in this process, and of an organization with a quota in all of them. Who is refused stands in
 * line and is given a slot when it is free: to the organization that holds least for its weight, there to the owner whose turn it is. A
 * run that only waits gives its slot back.
 */
export class RunSlots {
  readonly #options: RunSlotsOptions;
  readonly #line: FairLine<SlotHolder>;
  /** True for a slot that its holder does not know of yet. */
  readonly #taken = new Map<SlotHolder, { fresh: boolean; leased: boolean }>();
  readonly #heldBy = new Map<string, number>();
  readonly #gone = new WeakSet<SlotHolder>();
  #renewing: TimerHandle | null = null;
  #closed = false;

  constructor(options: RunSlotsOptions) {
    this.#options = options;
    this.#line = new FairLine((orgId) => options.shares.known(orgId).weight);
  }

  /** Keeps the leases of what is held from here on, until `close`. */
  start(): void {
    this.#renewing = every(this.#options.clock, this.#options.leaseMs / 3, () => this.#renew());
  }

  /** True when the holder has a slot now; else it stands in line. */
  async take(holder: SlotHolder): Promise<boolean> {
    if (this.#use(holder)) return true;
    const { orgId } = holder.held;
    await this.#options.shares.of(orgId);
    // A slot may have come meanwhile.
    if (this.#use(holder)) return true;
    // So may its end: what it was about to do goes on until it waits for something, and nobody would give the slot back.
    if (this.#gone.has(holder)) return false;
    this.#line.add(placeOf(holder), holder);
    await this.#give(holder);
    return this.#use(holder);
  }

  /** True when it has a slot, also one that it does not know of yet. */
  has(holder: SlotHolder): boolean {
    return this.#taken.has(holder);
  }

  /** Gives its slot back, but for one that came since `had` was asked and that it was not told of: that one it is about to see. */
  free(holder: SlotHolder, had: boolean): void {
    const slot = this.#taken.get(holder);
    if (slot === undefined || (slot.fresh && !had)) return;
    this.#drop(holder);
  }

  /** It has ended: it neither holds a slot nor stands in line, now or later. */
  leave(holder: SlotHolder): void {
    this.#gone.add(holder);
    this.#line.remove(placeOf(holder));
    if (this.#taken.has(holder)) this.#drop(holder);
    else this.#options.onRoom?.();
  }

  /** How many of an organization stand in line here. */
  waiting(orgId: string): number {
    return this.#line.count(orgId);
  }

  /** Organizations of which somebody stands in line. */
  orgsInLine(): readonly string[] {
    return [...this.#line.groups()];
  }

  stands(holder: SlotHolder): boolean {
    return this.#line.has(placeOf(holder));
  }

  /** How many more runs of an organization could begin here now. */
  room(orgId: string): number {
    return Math.min(this.#options.size - this.#taken.size, this.#most(orgId) - this.#held(orgId));
  }

  /** For the choice between organizations: what one holds, by its weight. */
  load(orgId: string): number {
    return this.#held(orgId) / this.#options.shares.known(orgId).weight;
  }

  close(): void {
    this.#closed = true;
    this.#renewing?.cancel();
  }

  /** Tells a holder that its slot is its own. */
  #use(holder: SlotHolder): boolean {
    const slot = this.#taken.get(holder);
    if (slot === undefined) return false;
    slot.fresh = false;
    return true;
  }

  /** Gives out what is free, to whom it is due; who asks just now sees it for itself. */
  async #give(asking: SlotHolder | null = null): Promise<void> {
    const refused = new Set<string>();
    const admits = (orgId: string) => !refused.has(orgId) && this.room(orgId) > 0;
    while (!this.#closed && this.#taken.size < this.#options.size) {
      const holder = this.#line.take({ admits, rank: (orgId) => this.load(orgId) });
      if (holder === null) return;
      const { orgId } = holder.held;
      const leased = this.#options.shares.known(orgId).runningSessions !== null;
      const slot = { fresh: true, leased };
      // Counted before anything is waited for, so that nobody else is given the same place.
      this.#taken.set(holder, slot);
      this.#heldBy.set(orgId, this.#held(orgId) + 1);
      if (!leased || (await this.#lease(holder))) {
        if (holder !== asking) holder.nudge();
      } else {
        // Other processes hold what the organization may have: the next round of leases tries again.
        refused.add(orgId);
        if (!this.#taken.has(holder)) continue;
        this.#forget(holder);
        this.#line.add(placeOf(holder), holder);
      }
    }
  }

  #drop(holder: SlotHolder): void {
    const slot = this.#taken.get(holder);
    if (slot === undefined) return;
    this.#forget(holder);
    void this.#quietly(async () => {
      const { orgId } = holder.held;
      if (slot.leased) await this.#options.counter.freeSlot(leaseKey(orgId), leaseHolder(holder));
      await this.#give();
    });
    this.#options.onRoom?.();
  }

  #forget(holder: SlotHolder): void {
    const { orgId } = holder.held;
    this.#taken.delete(holder);
    const left = this.#held(orgId) - 1;
    if (left > 0) this.#heldBy.set(orgId, left);
    else this.#heldBy.delete(orgId);
  }

  async #lease(holder: SlotHolder): Promise<boolean> {
    const { orgId } = holder.held;
    const { counter, shares, leaseMs } = this.#options;
    const slots = shares.known(orgId).runningSessions;
    if (slots === null) return true;
    try {
      return await counter.takeSlot(leaseKey(orgId), leaseHolder(holder), { slots, leaseMs });
    } catch (error) {
      this.#options.telemetry.unexpectedError({ where: "run slots", error, orgId });
      return false;
    }
  }

  async #renew(): Promise<void> {
    for (const [holder, slot] of this.#taken) if (slot.leased) await this.#lease(holder);
    for (const orgId of this.#line.groups()) await this.#options.shares.of(orgId);
    await this.#quietly(() => this.#give());
    this.#options.onRoom?.();
  }

  #held(orgId: string): number {
    return this.#heldBy.get(orgId) ?? 0;
  }

  #most(orgId: string): number {
    const { size, fair, shares } = this.#options;
    const { runningSessions } = shares.known(orgId);
    return Math.min(fair ? Math.max(1, Math.floor(fairShare * size)) : size, runningSessions ?? size);
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) =>
      this.#options.telemetry.unexpectedError({ where: "run slots", error }),
    );
  }
}

function placeOf({ held, owner }: SlotHolder) {
  return { group: held.orgId, lane: owner, key: held.sessionId };
}

function leaseKey(orgId: string): string {
  return `runs:${orgId}`;
}

function leaseHolder({ held }: SlotHolder): string {
  return `${held.sessionId}/${held.epoch}`;
}

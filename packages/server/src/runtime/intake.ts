import type { WakeUp } from "../coordination/queue.ts";
import { within } from "../lib/clock.ts";
import { type Activation, keyOf } from "./activation.ts";
import type { BudgetRoom } from "./budget-room.ts";
import type { RuntimeContext } from "./context.ts";
import type { RunSlots } from "./run-slots.ts";

/** Claims and loads that go on at once. */
const claimsAtOnce = 16;

/** Sessions of an organization that may stand in line for a slot before no more are taken: enough that a free one is used at once. */
const inReserve = 2;

/** How often a session that a budget holds back is parked for one that waits for a place. Milliseconds. */
const parkEveryMs = 200;

export interface IntakeOptions {
  readonly context: Pick<RuntimeContext, "queue" | "telemetry" | "clock">;
  readonly activation: Activation;
  readonly slots: RunSlots;
  readonly budgetRoom: BudgetRoom;
  /** False when the session is this worker's then and nobody here runs it. */
  readonly claim: (wakeUp: WakeUp) => Promise<boolean>;
  /** Sessions that the store may count as this worker's while nobody here runs them. */
  readonly adrift: Map<string, WakeUp>;
}

/**
 * Takes wake-ups and has their sessions claimed, as many as there is room for. What could not run here stays in the queue, where
 * other workers and other organizations come by it.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #stopping = new AbortController();
  readonly #claiming = new Map<string, { readonly orgId: string; readonly done: Promise<void> }>();
  readonly #wokenMeanwhile = new Set<string>();
  /** What only this worker can run, by session: taken before the queue is asked. */
  readonly #own = new Map<string, WakeUp>();
  #taking: Promise<void> = Promise.resolve();
  #look = new AbortController();
  #without: ReadonlySet<string> = new Set();
  #parkedAt = Number.NEGATIVE_INFINITY;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#taking = this.#takeWork();
  }

  /** Takes no more; resolves when nothing is being claimed. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#look.abort();
    await this.#taking;
    await Promise.all([...this.#claiming.values()].map(({ done }) => done));
  }

  /** An organization that was left waiting may be able to run something now. */
  reconsider(): void {
    if (this.#without.size > 0) this.#look.abort();
  }

  /**
   * Takes a session that the store counts as this worker's while nobody here runs it. In the queue another worker would come by it, and
   * could only say whose it is.
   */
  offer(wakeUp: WakeUp): void {
    this.#own.set(keyOf(wakeUp), wakeUp);
    this.#look.abort();
  }

  async #takeWork(): Promise<void> {
    const { activation, context } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#look = new AbortController();
      this.#without = this.#crowded();
      const wakeUp =
        this.#takeOwn() ?? (await context.queue.take(this.#look.signal, { without: this.#without }));
      this.#without = new Set();
      // Without an abort only a closed queue gives nothing.
      if (wakeUp === null && !this.#look.signal.aborted) return;
      if (wakeUp === null) continue;
      const live = activation.get(wakeUp.orgId, wakeUp.sessionId);
      if (live !== null) {
        activation.touch(live);
        live.wake();
        continue;
      }
      await this.#waitForRoom(wakeUp.orgId);
      while (this.#claiming.size >= claimsAtOnce) {
        await Promise.race([...this.#claiming.values()].map(({ done }) => done));
      }
      if (signal.aborted) return;
      this.#claimSoon(wakeUp);
    }
  }

  #takeOwn(): WakeUp | null {
    for (const [key, wakeUp] of this.#own) {
      this.#own.delete(key);
      return wakeUp;
    }
    return null;
  }

  /** Organizations of which enough stand in line for a slot, or are about to. */
  #crowded(): ReadonlySet<string> {
    const { slots } = this.#options;
    const coming = new Map(slots.orgsInLine().map((orgId) => [orgId, slots.waiting(orgId)]));
    for (const { orgId } of this.#claiming.values()) coming.set(orgId, (coming.get(orgId) ?? 0) + 1);
    const crowded = [...coming].filter(
      ([orgId, count]) => count - Math.max(0, slots.room(orgId)) >= inReserve,
    );
    return new Set(crowded.map(([orgId]) => orgId));
  }

  async #waitForRoom(orgId: string): Promise<void> {
    const { activation, context } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const { changes } = activation;
      try {
        if (await activation.makeRoom(this.#claiming.size)) return;
        if ((await this.#parkFor(orgId)) || (await this.#parkHeldBack())) continue;
      } catch (error) {
        // The store could not take a session back just now; the next change, or the next check of memory, tries again.
        context.telemetry.unexpectedError({ where: "room", error });
      }
      await this.#change(changes);
    }
  }

  /** Something changed since, or it is time to look again for somebody to park. */
  async #change(changes: number): Promise<void> {
    const { activation, context } = this.#options;
    await within(context.clock, parkEveryMs, (over) =>
      activation.room(changes, AbortSignal.any([this.#stopping.signal, over])),
    );
  }

  /** Makes room for an organization that has nothing here, at the cost of one that only stands in line beside what it runs. */
  async #parkFor(orgId: string): Promise<boolean> {
    const { activation, slots } = this.#options;
    if (slots.load(orgId) > 0 || slots.waiting(orgId) > 0) return false;
    const loadOf = ({ held }: { held: { orgId: string } }) => slots.load(held.orgId);
    const inLine = activation
      .all()
      .filter((actor) => slots.stands(actor) && (loadOf(actor) > 0 || slots.waiting(actor.held.orgId) > 1));
    for (const actor of inLine.toSorted((a, b) => loadOf(b) - loadOf(a))) {
      if (slots.stands(actor) && (await activation.park(actor))) return true;
    }
    return false;
  }

  /**
   * Parks one that waits until calls under way leave something of a budget. Those calls may be nobody's: of a session that waits for a
   * place here, and settles them when it is claimed. Not often: one that is claimed again may be held back again.
   */
  async #parkHeldBack(): Promise<boolean> {
    const { activation, budgetRoom, context } = this.#options;
    const now = context.clock.monotonic();
    if (now - this.#parkedAt < parkEveryMs) return false;
    for (const actor of activation.all()) {
      if (!budgetRoom.has(actor.held.orgId, actor) || !(await activation.park(actor))) continue;
      this.#parkedAt = now;
      return true;
    }
    return false;
  }

  #claimSoon(wakeUp: WakeUp): void {
    const { activation, adrift, claim, context } = this.#options;
    const { orgId, sessionId } = wakeUp;
    const key = keyOf(wakeUp);
    if (this.#claiming.has(key)) {
      this.#wokenMeanwhile.add(key);
      return;
    }
    // It was claimed while this wake-up waited for room: a second claim would take it from its own actor.
    const live = activation.get(orgId, sessionId);
    if (live !== null) return live.wake();
    adrift.set(key, wakeUp);
    const done = claim(wakeUp)
      .then(
        (settled) => void (settled && adrift.delete(key)),
        (error: unknown) => context.telemetry.unexpectedError({ where: "claim", error }),
      )
      .finally(() => {
        this.#claiming.delete(key);
        if (this.#wokenMeanwhile.delete(key)) activation.get(orgId, sessionId)?.wake();
        activation.noteQuiet();
        this.reconsider();
      });
    this.#claiming.set(key, { orgId, done });
  }
}

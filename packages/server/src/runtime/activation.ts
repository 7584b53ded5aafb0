import type { LiveSession, RuntimeStats } from "@berth/contract";
import { every, type TimerHandle } from "../lib/clock.ts";
import { statusOf } from "../session/state.ts";
import type { RuntimeContext } from "./context.ts";
import type { SessionActor } from "./session-actor.ts";

/** Eviction begins at this share of a limit and takes at least this share of the sessions. */
const fullShare = 0.8;
const atLeastShare = 0.1;
/** How many activation times are kept for the statistics. */
const keptTimings = 500;

type EvictReason = "memory" | "count" | "idle" | "asked" | "drain";

/**
 * The live sessions of this worker, least recently used first. Bounded by count and by the memory that the process really uses;
 * one that runs or is being written is never taken (I13), one that only waits may hibernate.
 */
export class Activation {
  readonly #context: RuntimeContext;
  readonly #actors = new Map<string, SessionActor>();
  readonly #timings: number[] = [];
  #evictions = 0;
  #activations = 0;
  #changes = 0;
  #roomWaiters: (() => void)[] = [];
  #timer: TimerHandle | null = null;

  constructor(context: RuntimeContext) {
    this.#context = context;
  }

  start(): void {
    const { clock, settings, telemetry } = this.#context;
    this.#timer = every(clock, settings.memoryCheckMs, async () => {
      await this.check().catch((error: unknown) => telemetry.unexpectedError({ where: "eviction", error }));
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#releaseWaiters();
  }

  get(orgId: string, sessionId: string): SessionActor | null {
    return this.#actors.get(keyOf({ orgId, sessionId })) ?? null;
  }

  /** Notes a use: the session becomes the most recently used. */
  touch(actor: SessionActor): void {
    const key = keyOf(actor.held);
    if (this.#actors.get(key) !== actor) return;
    this.#actors.delete(key);
    this.#actors.set(key, actor);
  }

  add(actor: SessionActor): void {
    this.#actors.set(keyOf(actor.held), actor);
    this.#activations += 1;
    this.#timings.push(actor.initMs);
    if (this.#timings.length > keptTimings) this.#timings.shift();
  }

  remove(actor: SessionActor): void {
    const key = keyOf(actor.held);
    if (this.#actors.get(key) !== actor) return;
    this.#actors.delete(key);
    this.#releaseWaiters();
  }

  all(): readonly SessionActor[] {
    return [...this.#actors.values()];
  }

  /** True when one more session may be activated besides those that are being claimed; evicts first if that is what it takes. */
  async makeRoom(beingClaimed: number): Promise<boolean> {
    const isRoom = () =>
      this.#actors.size + beingClaimed < this.#context.settings.maxSessions && !this.#overMemory();
    if (isRoom()) return true;
    await this.check();
    return isRoom();
  }

  /** Rises when a session left or became quiet. */
  get changes(): number {
    return this.#changes;
  }

  /** Resolves when something changed since `changes` was read, or the signal aborted. */
  room(changes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || changes !== this.#changes) return resolve();
      const done = () => {
        signal.removeEventListener("abort", done);
        this.#roomWaiters = this.#roomWaiters.filter((waiter) => waiter !== done);
        resolve();
      };
      this.#roomWaiters.push(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  /** A session became quiet: who waits for room may look again. */
  noteQuiet(): void {
    this.#releaseWaiters();
  }

  /** Evicts what is idle for too long, then by count and by memory. */
  async check(): Promise<void> {
    const { clock, settings } = this.#context;
    for (const actor of this.all()) {
      if (clock.monotonic() - actor.lastUsedMs >= settings.idleTtlMs) await this.evict(actor, "idle");
    }
    if (this.#actors.size >= fullShare * settings.maxSessions) {
      await this.#evictDown("count", () => this.#actors.size < fullShare * settings.maxSessions);
    }
    if (this.#usedBytes() >= fullShare * settings.memoryLimitBytes) {
      const goal = fullShare * settings.memoryLimitBytes;
      // The heap shrinks only at the next collection, so what was freed is counted by what the sessions measured.
      const before = this.#usedBytes();
      let freed = 0;
      await this.#evictDown("memory", (bytes) => before - (freed += bytes) < goal);
    }
  }

  /** Gives one session back; false when it runs, is being written, or something waits for it. */
  async evict(actor: SessionActor, reason: EvictReason): Promise<boolean> {
    if (!actor.quiet || !(await actor.release())) return false;
    this.remove(actor);
    this.#evictions += 1;
    const { orgId, sessionId } = actor.held;
    // Something came while it was given back: whoever claims it next finds it in the mailbox.
    if (actor.woken) await this.#context.queue.push({ orgId, sessionId });
    this.#context.telemetry.sessionEvicted({ orgId, sessionId, reason, bytes: actor.bytes });
    return true;
  }

  /** Gives one back that only stands in line, for a slot or for room in a budget: it waits in the queue instead. */
  async park(actor: SessionActor): Promise<boolean> {
    if (!(await actor.release({ park: true }))) return false;
    this.remove(actor);
    const { orgId, sessionId } = actor.held;
    await this.#context.queue.push({ orgId, sessionId, owner: actor.owner });
    return true;
  }

  stats(draining: boolean): RuntimeStats {
    const actors = this.all();
    const { settings } = this.#context;
    const sorted = this.#timings.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const running = actors.filter((actor) => actor.running).length;
    const waiting = actors.filter((actor) => actor.state.run !== null).length - running;
    return {
      live: actors.length,
      running,
      waiting,
      idle: actors.length - running - waiting,
      maxSessions: settings.maxSessions,
      idleTtlMs: settings.idleTtlMs,
      memory: {
        usedBytes: this.#usedBytes(),
        limitBytes: settings.memoryLimitBytes,
        sessionBytes: this.#sessionBytes(),
      },
      claiming: !draining && this.#roomWaiters.length === 0,
      evictions: this.#evictions,
      activations: { count: this.#activations, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? 0 },
    };
  }

  sessions(orgId: string): readonly LiveSession[] {
    const { clock } = this.#context;
    return this.all()
      .filter((actor) => actor.held.orgId === orgId)
      .map((actor) => ({
        sessionId: actor.held.sessionId,
        status: statusOf(actor.state),
        bytes: actor.bytes,
        epoch: actor.held.epoch,
        activatedAt: new Date(actor.activatedAt).toISOString(),
        lastUsedAt: new Date(clock.now() - (clock.monotonic() - actor.lastUsedMs)).toISOString(),
        initMs: actor.initMs,
      }));
  }

  async #evictDown(reason: EvictReason, enough: (freedBytes: number) => boolean): Promise<void> {
    const least = Math.ceil(atLeastShare * this.#actors.size);
    let evicted = 0;
    let done = false;
    for (const actor of this.all()) {
      if (evicted >= least && done) return;
      if (!(await this.evict(actor, reason))) continue;
      evicted += 1;
      done = enough(actor.bytes);
    }
  }

  #overMemory(): boolean {
    return this.#usedBytes() >= this.#context.settings.memoryLimitBytes;
  }

  #usedBytes(): number {
    const { heapUsed, external, arrayBuffers } = this.#context.memory();
    return heapUsed + external + arrayBuffers;
  }

  #sessionBytes(): number {
    return this.all().reduce((sum, actor) => sum + actor.bytes, 0);
  }

  #releaseWaiters(): void {
    this.#changes += 1;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const go of waiters) go();
  }
}

/** Names a session among those of all organizations. */
export function keyOf({ orgId, sessionId }: { readonly orgId: string; readonly sessionId: string }): string {
  return `${orgId}/${sessionId}`;
}

import { BerthError } from "../lib/errors.ts";
import type { TimerHandle } from "../lib/clock.ts";
import type { RuntimeContext } from "./context.ts";

/**
 * Keeps the worker's liveness row and knows whether the lease still holds. The lease counts on the monotonic clock from before the
 * last confirmed heartbeat was sent; at two thirds of it this worker stops, so that it is silent before anybody may take over.
 */
export class Heartbeat {
  readonly workerId: string;
  readonly #context: RuntimeContext;
  readonly #onLost: () => void;
  #sentAt = Number.NEGATIVE_INFINITY;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #lost = false;
  /** How often the lease was lost. */
  #losses = 0;
  #timer: TimerHandle | null = null;
  #guard: TimerHandle | null = null;
  #stopped = false;

  constructor(context: RuntimeContext, workerId: string, onLost: () => void) {
    this.#context = context;
    this.workerId = workerId;
    this.#onLost = onLost;
  }

  /** Milliseconds since the last confirmed heartbeat was sent. */
  get ageMs(): number {
    return this.#context.clock.monotonic() - this.#confirmedAt;
  }

  /** True while this worker may write and start tools. */
  get fresh(): boolean {
    return this.ageMs < (this.#context.settings.leaseMs * 2) / 3;
  }

  /** Writes the first heartbeat; rejects when the store does not take it. */
  async start(): Promise<void> {
    await this.#beat();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#guard?.cancel();
  }

  /** Throws `lease_lost` when this worker may not act, or its lease is another one than that which an earlier call returned. */
  assertFresh(lease = this.#losses): number {
    if (this.fresh && lease === this.#losses) return lease;
    throw new BerthError("lease_lost", "This worker lost its lease.", { retryable: true });
  }

  async #beat(): Promise<void> {
    const sentAt = this.#context.clock.monotonic();
    this.#sentAt = sentAt;
    await this.#context.store.system.heartbeat(this.workerId);
    this.#confirmedAt = sentAt;
    this.#lost = false;
    this.#watch();
  }

  /** A third of the lease from when the last one was sent: counted from its confirmation, commits of a twelfth of the lease lost it. */
  #schedule(): void {
    if (this.#stopped) return;
    const { clock, settings } = this.#context;
    const since = clock.monotonic() - this.#sentAt;
    this.#timer = clock.after(Math.max(0, settings.leaseMs / 3 - since), () => {
      this.#beat()
        .catch((error: unknown) => this.#context.telemetry.unexpectedError({ where: "heartbeat", error }))
        .finally(() => this.#schedule());
    });
  }

  /** Fires once when the lease runs out before the next confirmation. */
  #watch(): void {
    this.#guard?.cancel();
    if (this.#stopped) return;
    const left = (this.#context.settings.leaseMs * 2) / 3 - this.ageMs;
    this.#guard = this.#context.clock.after(Math.max(0, left), () => {
      if (this.#stopped || this.#lost) return;
      // Timers take whole milliseconds, so one can be early by a part of one.
      if (this.fresh) return this.#watch();
      this.#lost = true;
      this.#losses += 1;
      this.#onLost();
    });
  }
}

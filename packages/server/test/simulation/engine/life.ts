import { getEventListeners } from "node:events";
import type { Clock, TimerHandle } from "../../../src/lib/clock.ts";
import { BerthError } from "../../../src/lib/errors.ts";
import type { Random } from "../../chaos/random.ts";
import type { Faults, PortFault } from "./faults.ts";
import type { Scheduler } from "./scheduler.ts";
import { real } from "./virtual-globals.ts";

/** Signals that a life remembers before it looks which of them are left. */
const mostCombined = 200;

export interface LifeOptions {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly random: Random;
  /** When the world began, milliseconds since 1970. */
  readonly epochMs: number;
  readonly onCrash: (life: Life) => void;
}

/**
 * One life of a simulated process, from its start to its crash. It reaches the world only through `call`, where faults may fall before
 * and after what is called. When it has crashed nothing of it goes on: what it waits for never comes.
 */
export class Life {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  readonly #onCrash: (life: Life) => void;
  readonly #atEnd = new Set<() => void>();
  #combined: WeakRef<AbortSignal>[] = [];
  dead = false;
  pausedUntil = 0;
  /** How far its wall clock is off. */
  clockOffset = 0;
  /** Until when its heartbeats fail. */
  deafUntil = 0;

  constructor(options: LifeOptions) {
    const { name, scheduler, epochMs } = options;
    this.name = name;
    this.random = options.random;
    this.#scheduler = scheduler;
    this.#faults = options.faults;
    this.#onCrash = options.onCrash;
    this.clock = {
      now: () => Math.floor(epochMs + scheduler.now + this.clockOffset),
      monotonic: () => scheduler.now,
      after: (ms, call) => this.timer(ms, call),
    };
  }

  /** Takes whole milliseconds and at least one, as Node's do. */
  timer(ms: number, call: () => void): TimerHandle {
    if (this.dead) return { cancel() {} };
    return { cancel: this.#scheduler.after(Math.max(1, Math.trunc(ms)), this, "timer", call) };
  }

  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, label: string, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.dead) return;
      if (signal?.aborted) return resolve();
      const cancel = this.#scheduler.after(ms, this, label, () => done());
      const done = () => {
        cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  /**
   * Calls something outside: it arrives a little later, takes effect there, and its answer comes a little later again. `worst` calls back
   * when a call that is stuck would do most harm.
   */
  call<T>(
    op: string,
    effect: () => T | Promise<T>,
    worst: (arrive: () => void) => void = () => {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.dead) return;
      const fault = this.#faults.take(this, op);
      if (fault?.kind === "crash-before") return this.crash();
      const answer = (settle: () => void) => this.#answer(op, fault, settle);
      const arrive = () => {
        // Of what was on its way when it crashed, some arrives.
        if (this.dead && this.random.chance(0.5)) return;
        if (fault?.kind === "fail-before") return answer(() => reject(unavailable()));
        try {
          const result = effect();
          if (result instanceof Promise) {
            result.then(
              (value) =>
                answer(() => (fault?.kind === "fail-after" ? reject(unavailable()) : resolve(value))),
              (error: unknown) => answer(() => reject(error)),
            );
          } else answer(() => (fault?.kind === "fail-after" ? reject(unavailable()) : resolve(result)));
        } catch (error) {
          answer(() => reject(error));
        }
      };
      if (fault?.kind === "freeze") this.pausedUntil = this.#scheduler.now + fault.ms;
      const stands = fault?.kind === "freeze" && this.random.chance(0.5);
      const slow = fault?.kind === "slow-call" || stands ? fault.ms : 0;
      let isStuck = stands;
      const cancel = this.#scheduler.after(this.#latency() + slow, null, `${this.name} ${op}`, () => {
        isStuck = false;
        arrive();
      });
      if (stands)
        worst(() => {
          if (!isStuck) return;
          isStuck = false;
          cancel();
          this.#scheduler.after(this.#latency(), null, `${this.name} ${op}, which was stuck`, arrive);
        });
      if (fault?.kind === "crash-in-flight") this.crash();
    });
  }

  /** Reads as `call` does. Most reads are answered in the step in which they look, as those of an embedded database are. */
  read<T>(op: string, look: () => T | Promise<T>): Promise<T> {
    if (this.random.chance(0.2)) return this.call(op, look);
    return new Promise<T>((resolve, reject) => {
      if (this.dead) return;
      const fault = this.#faults.take(this, op);
      if (fault?.kind === "crash-before" || fault?.kind === "crash-in-flight") return this.crash();
      const slow = fault?.kind === "slow-call" || fault?.kind === "late-answer" ? fault.ms : 0;
      this.#scheduler.after(this.#latency() + slow, this, op, () => {
        if (fault?.kind === "crash-after") return this.crash();
        if (fault?.kind.startsWith("fail-")) return reject(unavailable());
        Promise.resolve().then(look).then(resolve, reject);
      });
    });
  }

  /** A place where a crash may fall, between two calls. */
  point(op: string): void {
    if (this.#faults.take(this, op, (fault) => fault.kind.startsWith("crash-")) !== null) this.crash();
  }

  /** Ends this life at once. */
  crash(): void {
    if (this.dead) return;
    this.end();
    this.#onCrash(this);
  }

  /** As a process that exits in good order: nothing of it goes on. */
  end(): void {
    this.dead = true;
    for (const call of this.#atEnd) call();
    this.#atEnd.clear();
    // What it does until its next call comes to nothing, but is done: it may begin to listen.
    real.setImmediate(() => {
      for (const ref of this.#combined) deafen(ref.deref());
      this.#combined = [];
    });
  }

  /** Node keeps a signal that is made of others while somebody listens to it, and the memory of a killed process would be kept with it. */
  combined(signal: AbortSignal): void {
    if (this.#combined.length >= mostCombined)
      this.#combined = this.#combined.filter((ref) => ref.deref() !== undefined);
    this.#combined.push(new WeakRef(signal));
  }

  /** What the world does when this life ends: its connections break. */
  atEnd(call: () => void): () => void {
    this.#atEnd.add(call);
    return () => this.#atEnd.delete(call);
  }

  #answer(op: string, fault: PortFault | null, settle: () => void): void {
    if (this.dead) return;
    if (fault?.kind === "crash-after") return this.crash();
    const late = fault?.kind === "late-answer" ? fault.ms : 0;
    this.#scheduler.after(this.#latency() + late, this, `${op} answers`, settle);
  }

  #latency(): number {
    return this.random.next() < 0.03 ? this.random.next() * 200 : 0.05 + this.random.next() * 2;
  }
}

function deafen(signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  for (const listener of getEventListeners(signal, "abort"))
    signal.removeEventListener("abort", listener as () => void);
}

function unavailable(): BerthError {
  return new BerthError("store_unavailable", "The simulated service did not answer.", { retryable: true });
}

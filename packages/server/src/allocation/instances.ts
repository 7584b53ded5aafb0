import { every, type TimerHandle } from "../lib/clock.ts";
import type { AllocationContext } from "./allocation-context.ts";

const beatMs = 10_000;
const leaseMs = 30_000;

/**
 * Which servers live. One is dead when its row is gone, or when it has not changed while this server looked on for as long as the lease:
 * by this server's own monotonic clock, so that no step of anybody's wall clock makes a living one dead.
 */
export class Instances {
  readonly #context: AllocationContext;
  readonly #seen = new Map<string, { beats: number; since: number }>();
  #known = false;
  #timer: TimerHandle | null = null;

  constructor(context: AllocationContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    const { store, clock, instanceId } = this.#context;
    await store.system.sandboxes.beat(instanceId);
    this.#timer = every(clock, beatMs, () => this.#beat());
  }

  /** Looks at the beats that there are. */
  async observe(): Promise<void> {
    const { store, clock } = this.#context;
    const rows = await store.system.sandboxes.instances();
    const now = clock.monotonic();
    for (const { id, beats } of rows) {
      if (this.#seen.get(id)?.beats !== beats) this.#seen.set(id, { beats, since: now });
    }
    const there = new Set(rows.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id);
    this.#known = true;
  }

  isDead(id: string): boolean {
    const { clock, instanceId } = this.#context;
    if (id === instanceId || !this.#known) return false;
    const seen = this.#seen.get(id);
    return seen === undefined || clock.monotonic() - seen.since >= leaseMs;
  }

  /** An orderly end: what is left is anybody's at once. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.#context.store.system.sandboxes.removeInstance(this.#context.instanceId);
  }

  async #beat(): Promise<void> {
    const { store, instanceId, telemetry } = this.#context;
    await store.system.sandboxes
      .beat(instanceId)
      .catch((error: unknown) => telemetry.unexpectedError({ where: "sandbox instances", error }));
  }
}

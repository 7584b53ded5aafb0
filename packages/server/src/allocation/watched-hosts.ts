import type { Clock } from "../lib/clock.ts";
import type { SandboxHostInfo, SandboxProvider } from "../sandbox/sandbox.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";

/** A host counts as dead when it has been unhealthy for so long while this server looked on. */
export const deadHostMs = 30_000;
/** Between two looks that are further apart a host may have been well. */
const lookGapMs = 20_000;

/** Which hosts are dead, by this server's own monotonic clock. */
export class WatchedHosts {
  readonly #provider: SandboxProvider;
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #deadMs: number;
  #draining: ReadonlySet<string> = new Set();
  readonly #unwell = new Map<string, { readonly since: number; readonly seen: number }>();

  constructor({
    provider,
    clock,
    telemetry,
    deadMs,
  }: {
    readonly provider: SandboxProvider;
    readonly clock: Clock;
    readonly telemetry: Telemetry;
    readonly deadMs: number;
  }) {
    this.#provider = provider;
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#deadMs = deadMs;
  }

  /** Asks the provider how they are, and counts them by state; called at least every five seconds. */
  async look(): Promise<readonly SandboxHostInfo[]> {
    const hosts = await this.#provider.hosts();
    const now = this.#clock.monotonic();
    this.#telemetry.sandboxHostsCounted({
      healthy: hosts.filter(({ healthy, draining }) => healthy && !draining).length,
      draining: hosts.filter(({ healthy, draining }) => healthy && draining).length,
      unhealthy: hosts.filter(({ healthy }) => !healthy).length,
    });
    this.#draining = new Set(hosts.filter(({ draining }) => draining).map(({ name }) => name));
    for (const { name, healthy } of hosts) {
      const before = this.#unwell.get(name);
      if (healthy) this.#unwell.delete(name);
      else if (before === undefined || now - before.seen > lookGapMs)
        this.#unwell.set(name, { since: now, seen: now });
      else this.#unwell.set(name, { since: before.since, seen: now });
    }
    return hosts;
  }

  /** As of the last look. */
  isDraining(name: string | null): boolean {
    return name !== null && this.#draining.has(name);
  }

  isDead(name: string): boolean {
    const unwell = this.#unwell.get(name);
    if (unwell === undefined) return false;
    const now = this.#clock.monotonic();
    return now - unwell.seen <= lookGapMs && unwell.seen - unwell.since >= this.#deadMs;
  }
}

import { type FailpointName, failpoints } from "../../../src/lib/failpoint.ts";
import type { Random } from "../random.ts";
import type { Ended, Fate } from "./keeper.ts";

/** Failpoints that a busy server passes many times a second: their hit is put off by more. */
const frequent: ReadonlySet<FailpointName> = new Set<FailpointName>([
  "store.commit.before",
  "store.commit.after",
  "store.accept.before-commit",
  "store.accept.after-commit",
  "http.accepted.before-reply",
  "runtime.input-taken",
  "runtime.before-publish",
  "runtime.after-publish",
  "runtime.before-model",
  "runtime.model-streaming",
  "runtime.model-finished",
  "runtime.before-tool",
  "runtime.tool-done",
  "runtime.run-finished",
  "tool.effect-done",
]);

/** How long an armed failpoint may take to be reached before the server is killed all the same, milliseconds. */
const patienceMs = 3_000;

export interface FatesOptions {
  readonly random: Random;
  /** Deaths wanted in all. */
  readonly kills: number;
  /** Times that each failpoint has to be hit. */
  readonly hitsEach: number;
  /** Failpoints that are used. */
  readonly among?: readonly FailpointName[];
}

/** Decides how each server ends, until there were enough deaths and each failpoint was hit often enough. */
export class Fates {
  readonly hits: Map<FailpointName, number>;
  readonly #options: FatesOptions;
  /** Armed in vain, by failpoint: the next time it is put off less. */
  readonly #vain = new Map<FailpointName, number>();
  #armed: FailpointName | null = null;
  randomKills = 0;

  constructor(options: FatesOptions) {
    this.#options = options;
    this.hits = new Map((options.among ?? failpoints).map((name) => [name, 0]));
  }

  get deaths(): number {
    return this.randomKills + [...this.hits.values()].reduce((sum, hits) => sum + hits, 0);
  }

  /** Also when twice the deaths did not reach a failpoint: the verdict names it, where a loop would wait for ever. */
  get done(): boolean {
    const { kills, hitsEach } = this.#options;
    if (this.deaths >= 2 * kills) return true;
    return this.deaths >= kills && [...this.hits.values()].every((hits) => hits >= hitsEach);
  }

  /** The failpoint that is armed now: the workload may lean towards it. */
  get armed(): FailpointName | null {
    return this.#armed;
  }

  next(): Fate {
    const { random, kills } = this.#options;
    const missing = this.#missing();
    const left = Math.max(0, kills - this.deaths);
    // Failpoints get at least the share that they still need.
    const share = Math.max(0.6, missing / Math.max(1, left));
    if (random.chance(share)) return this.#arm();
    this.#armed = null;
    if (random.chance(0.12)) return { failpoint: null, killAfterMs: random.int(20, 700), from: "start" };
    return { failpoint: null, killAfterMs: random.int(20, 2_000), from: "ready" };
  }

  /** Notes how the life of the last fate ended. */
  ended(how: Ended): void {
    const armed = this.#armed;
    this.#armed = null;
    if (how === "failpoint" && armed !== null) {
      this.hits.set(armed, (this.hits.get(armed) ?? 0) + 1);
      this.#vain.delete(armed);
    } else if (how === "killed") this.randomKills += 1;
    if (how === "killed" && armed !== null) this.#vain.set(armed, (this.#vain.get(armed) ?? 0) + 1);
  }

  #missing(): number {
    const { hitsEach } = this.#options;
    return [...this.hits.values()].reduce((sum, hits) => sum + Math.max(0, hitsEach - hits), 0);
  }

  /** One of those that were hit least; those that were tried in vain come back less often. */
  #arm(): Fate {
    const { random } = this.#options;
    const least = [...this.hits].toSorted(
      ([a, hitsA], [b, hitsB]) => this.#rank(a, hitsA) - this.#rank(b, hitsB),
    );
    const [name] = random.pick(least.slice(0, 6));
    this.#armed = name;
    const vain = this.#vain.get(name) ?? 0;
    const most = frequent.has(name) ? 40 : 3;
    const nth = random.int(1, Math.max(1, Math.floor(most / 2 ** vain)));
    return { failpoint: `${name}@${nth}`, killAfterMs: patienceMs, from: "ready" };
  }

  #rank(name: FailpointName, hits: number): number {
    return hits + (this.#vain.get(name) ?? 0) / 4;
  }
}

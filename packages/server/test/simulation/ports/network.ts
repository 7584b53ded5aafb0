import type { Random } from "../../chaos/random.ts";
import type { Faults } from "../engine/faults.ts";
import type { Life } from "../engine/life.ts";
import type { Scheduler } from "../engine/scheduler.ts";

/** Until when the network does what. Milliseconds since the world began. */
export interface NetworkWeather {
  lossyUntil: number;
  doublingUntil: number;
  laggyUntil: number;
}

/** Carries hints between processes: loses, doubles, delays and reorders them, as the weather is. */
export class Network {
  readonly weather: NetworkWeather = { lossyUntil: 0, doublingUntil: 0, laggyUntil: 0 };
  /** Loses every frame and every question. */
  silent = false;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #faults: Faults;

  constructor(scheduler: Scheduler, random: Random, faults: Faults) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#faults = faults;
  }

  /** Delivers to a life (null: to nobody's process) zero, one or two times. */
  carry(to: Life | null, label: string, deliver: () => void): void {
    const { weather } = this;
    const { now } = this.#scheduler;
    if (this.silent && (label === "frame" || label === "question")) return;
    if (now < weather.lossyUntil && this.#random.chance(0.5)) return this.#faults.count(`lost ${label}`);
    this.#scheduler.after(this.#delay(label), to, label, deliver);
    if (now >= weather.doublingUntil || !this.#random.chance(0.5)) return;
    this.#faults.count(`doubled ${label}`);
    this.#scheduler.after(this.#delay(label), to, label, deliver);
  }

  #delay(label: string): number {
    const usual = 0.1 + this.#random.next() * 2;
    if (this.#scheduler.now >= this.weather.laggyUntil || !this.#random.chance(0.5)) return usual;
    this.#faults.count(`delayed ${label}`);
    return usual + this.#random.next() * 3_000;
  }
}

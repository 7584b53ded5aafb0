import type { Faults } from "../engine/faults.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Fault } from "../plan/fault.ts";

type Mishap = Extract<Fault, { kind: `model-${string}` | `tool-${string}` }>;

function isMishap(fault: Fault): fault is Mishap {
  return fault.kind.startsWith("model-") || fault.kind.startsWith("tool-");
}

/** What goes wrong with models and tools: each falls on the first call at or after its time. */
export class Mishaps {
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;
  #waiting: Mishap[];

  constructor(scheduler: Scheduler, faults: Faults) {
    this.#scheduler = scheduler;
    this.#faults = faults;
    this.#waiting = [];
  }

  add(planned: readonly Fault[]): void {
    this.#waiting = [...this.#waiting, ...planned.filter((fault) => isMishap(fault))].toSorted(
      (a, b) => a.at - b.at,
    );
  }

  /** `ofSummary`: the call asks for a summary, on which some wait. */
  take(of: "model" | "tool", { ofSummary = false } = {}): Mishap | null {
    const at = this.#waiting.findIndex(
      (one) =>
        one.at <= this.#scheduler.now &&
        one.kind.startsWith(of) &&
        (ofSummary || !("of" in one && one.of === "summary")),
    );
    const [mishap] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (mishap === undefined) return null;
    this.#faults.count(mishap.kind);
    if (ofSummary) this.#faults.count(`${mishap.kind} of a summary`);
    this.#scheduler.note("", `FAULT ${mishap.kind}`);
    return mishap;
  }

  stop(): void {
    this.#waiting = [];
  }
}

import { anyWorker, type Fault } from "../plan/fault.ts";
import type { Scheduler } from "./scheduler.ts";

export type PortFault = Extract<Fault, { at: number; op: string | null }>;

/** The faults of a plan, each taken once: by the first call at or after its time that it fits. */
export class Faults {
  readonly counts = new Map<string, number>();
  readonly #scheduler: Scheduler;
  #waiting: PortFault[];
  #armed: PortFault[] = [];
  /** How many calls a fault has let pass. */
  readonly #passed = new Map<PortFault, number>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#waiting = [];
  }

  add(planned: readonly PortFault[]): void {
    this.#waiting = [...this.#waiting, ...planned].toSorted((a, b) => b.at - a.at);
  }

  /** The fault that falls on this call. */
  take(
    life: { readonly name: string },
    op: string,
    fits: (fault: PortFault) => boolean = () => true,
  ): PortFault | null {
    const { now } = this.#scheduler;
    for (let next = this.#waiting.at(-1); next !== undefined && next.at <= now; next = this.#waiting.at(-1)) {
      this.#waiting.pop();
      this.#armed.push(next);
    }
    if (this.#armed.length === 0) return null;
    const at = this.#armed.findIndex(
      (fault) =>
        (fault.op === null || fault.op === op) &&
        falls(fault, life.name) &&
        fits(fault) &&
        this.#passes(fault) > fault.skip,
    );
    const [fault] = at < 0 ? [] : this.#armed.splice(at, 1);
    if (fault === undefined) return null;
    this.#passed.delete(fault);
    this.count(fault.kind);
    this.#scheduler.note(life.name, `FAULT ${fault.kind} on ${op}`);
    return fault;
  }

  /** The number of this call for a fault. */
  #passes(fault: PortFault): number {
    const number = (this.#passed.get(fault) ?? 0) + 1;
    this.#passed.set(fault, number);
    return number;
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** From now on all is well. */
  stop(): void {
    this.#waiting = [];
    this.#armed = [];
  }
}

function falls({ process }: PortFault, life: string): boolean {
  return process === anyWorker ? life.startsWith("w") : life.startsWith(`${process}.`);
}

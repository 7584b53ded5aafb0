import { workerTopic } from "../../../src/coordination/session-frames.ts";
import type { Fault } from "../plan/fault.ts";
import type { WorkerProcess } from "../processes.ts";
import type { World } from "../world.ts";
import type { Follower } from "./follower.ts";

/** How often an operator looks whether a worker runs something, before it is stopped without. */
const drainLooks = 200;

/** For how long what was asked with a key is known: longer than clients ask again and clocks are off. */
const keptMs = 7_200_000;

/** Brings about what a plan says happens at a time: what operators do, weather, and what befalls whole processes and readers. */
export class Operator {
  readonly #world: World;
  readonly #followers: readonly Follower[];

  constructor(world: World, followers: readonly Follower[]) {
    this.#world = world;
    this.#followers = followers;
  }

  /** Lets each fault fall at its time. */
  begin(): void {
    const world = this.#world;
    for (const fault of world.plan.faults) {
      if ("op" in fault || fault.kind.startsWith("model-") || fault.kind.startsWith("tool-")) continue;
      world.scheduler.at(fault.at, null, `FAULT ${fault.kind}`, () => this.#do(fault));
    }
  }

  #do(fault: Fault): void {
    const { scheduler, network, faults, resting } = this.#world;
    if (resting) return;
    faults.count(fault.kind);
    const until = scheduler.now + fault.ms;
    switch (fault.kind) {
      case "lossy":
        network.weather.lossyUntil = until;
        return;
      case "doubling":
        network.weather.doublingUntil = until;
        return;
      case "laggy":
        network.weather.laggyUntil = until;
        return;
      case "slow-commits":
        this.#world.slowUntil = until;
        return;
      case "store-down":
        this.#world.downUntil = until;
        return;
      case "store-clock-jump":
        this.#world.storeOffset = fault.ms;
        return;
      case "cut":
        return this.#followers[Math.floor(fault.at) % this.#followers.length]?.cut();
      case "slow-reader":
        return this.#followers[Math.floor(fault.at) % this.#followers.length]?.slowDown(fault.ms);
      case "restart-all":
        return this.#restartAll();
      default:
        return this.#befall(fault, until);
    }
  }

  #restartAll(): void {
    for (const { life } of this.#world.processes) life.crash();
    this.#world.database.forget();
  }

  #befall(fault: Fault, until: number): void {
    if (!("process" in fault)) return;
    const process = this.#world.processes.find(({ name }) => name === fault.process);
    if (process === undefined || !process.isUp) return;
    const { life } = process;
    if (fault.kind === "pause") life.pausedUntil = until;
    if (fault.kind === "deaf-heart") life.deafUntil = until;
    if (fault.kind === "clock-jump") life.clockOffset = fault.ms;
    if ("drain" in process && fault.kind === "drain") this.#drain(process, fault.ms, drainLooks);
    if ("worker" in process && fault.kind === "sweep") void process.worker?.sweep();
    if (fault.kind === "evict" || fault.kind === "cleanup" || fault.kind === "prune") this.#ask(fault);
  }

  /** In the middle of a run, if there is one soon. */
  #drain(worker: WorkerProcess, ms: number, looks: number): void {
    const { ledger, scheduler, resting } = this.#world;
    const { id } = worker.worker ?? {};
    const runs = [...ledger.books.values()].some(
      ({ holder, state }) => holder === id && state.run?.waitingSince === null,
    );
    if (runs || resting || looks === 0) return worker.drain(ms);
    scheduler.after(10, null, "an operator looks at a worker", () => this.#drain(worker, ms, looks - 1));
  }

  #ask({ kind, at }: Fault): void {
    const [api] = this.#world.apis;
    if (api?.operations == null || !api.isUp) return;
    const { store, bus } = api.operations;
    const { orgId } = this.#world.template;
    if (kind === "prune") return void store.system.prune({ idempotencyMs: keptMs }).catch(() => {});
    const held = [...this.#world.ledger.books.values()].filter(({ holder }) => holder !== null);
    // Most are asked to leave when they can.
    const quiet = held.filter(({ state }) => state.run === null || state.run.waitingSince !== null);
    const among = quiet.length === 0 || at % 3 === 0 ? held : quiet;
    const book = among[Math.floor(at) % among.length];
    if (book?.holder == null) return;
    const command = kind === "evict" ? { op: "evict", orgId, sessionId: book.id } : { op: "cleanup", orgId };
    void bus.ask(workerTopic(book.holder), command, 1_000);
  }
}

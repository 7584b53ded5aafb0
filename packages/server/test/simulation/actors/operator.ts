import { workerTopic } from "../../../src/coordination/session-frames.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import type { Fault } from "../plan/fault.ts";
import type { WorkerProcess } from "../processes.ts";
import type { World } from "../world.ts";
import type { Follower } from "./follower.ts";

/** How often an operator looks whether a worker runs something, before it is stopped without. */
const drainLooks = 400;

/** For how long what was asked with a key is known: longer than clients ask again and clocks are off. */
const keptMs = 10_800_000;

/** Brings about what a plan says happens at a time: what operators do, weather, and what befalls whole processes and readers. */
export class Operator {
  readonly #world: World;
  readonly #followers: readonly Follower[];

  constructor(world: World, followers: readonly Follower[]) {
    this.#world = world;
    this.#followers = followers;
  }

  /** Lets each fault fall at its time. */
  plan(faults: readonly Fault[]): void {
    const world = this.#world;
    world.expect(faults);
    for (const fault of faults) {
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
    if ("drain" in process && fault.kind === "drain") this.#drain(process, fault, drainLooks);
    if ("worker" in process && fault.kind === "sweep") void process.worker?.sweep();
    if (fault.kind === "evict" || fault.kind === "cleanup" || fault.kind === "prune") this.#ask(fault);
  }

  /** In the middle of a run, or while one begins, if there is one soon. */
  #drain(worker: WorkerProcess, fault: Fault, looks: number): void {
    const { ledger, scheduler, resting, database } = this.#world;
    const { id } = worker.worker ?? {};
    const held = [...ledger.books.values()].filter(({ holder }) => holder === id);
    const isTime =
      fault.at % 2 === 0
        ? held.some(({ state }) => state.run?.waitingSince === null)
        : held.some((book) => book.state.run === null && database.isWriting(book.id, book.epoch));
    if (isTime || resting || looks === 0) return worker.drain(fault.ms);
    const again = () => this.#drain(worker, fault, looks - 1);
    scheduler.after(fault.at % 2 === 0 ? 10 : 1, null, "an operator looks at a worker", again);
  }

  /** As the server's job does it: what nobody asks for again, and files that nothing names. */
  async #tidy({ store, blobs }: OperationsContext): Promise<void> {
    await store.system.prune({ idempotencyMs: keptMs });
    const forgotten = await store.system.collectBlobs({ ageMs: keptMs, limit: 1_000 });
    for (const { orgId, hash } of forgotten) await blobs.delete(orgId, hash);
  }

  #ask({ kind, at }: Fault): void {
    const [api] = this.#world.apis;
    if (api?.operations == null || !api.isUp) return;
    const { bus } = api.operations;
    const { orgId } = this.#world.template;
    if (kind === "prune") return void this.#tidy(api.operations).catch(() => {});
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

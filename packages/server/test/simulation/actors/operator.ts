import { workerTopic } from "../../../src/coordination/session-frames.ts";
import type { OperationsContext } from "../../../src/operations/context.ts";
import { anyWorker, type Fault } from "../plan/fault.ts";
import type { WorkerProcess } from "../processes.ts";
import type { World } from "../world.ts";
import type { Follower } from "./follower.ts";

type Drain = Extract<Fault, { kind: "drain" }>;

/** How often an operator looks whether it is time to stop a worker, before it is stopped anyway, and after how many milliseconds again. */
const drainLooks = { most: 400, everyMs: { run: 10, beginning: 1, summary: 10 } };

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
        network.weather.lossyUntil = Math.max(network.weather.lossyUntil, until);
        return;
      case "doubling":
        network.weather.doublingUntil = until;
        return;
      case "laggy":
        network.weather.laggyUntil = Math.max(network.weather.laggyUntil, until);
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
      case "drain":
        return this.#drain(fault, drainLooks.most);
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
    if ("worker" in process && fault.kind === "sweep") void process.worker?.sweep();
    if (fault.kind === "evict" || fault.kind === "cleanup" || fault.kind === "prune") this.#ask(fault);
  }

  #drain(fault: Drain, looks: number): void {
    const { scheduler, resting, workers, faults } = this.#world;
    const meant = workers.filter(({ name, isUp }) => isUp && [anyWorker, name].includes(fault.process));
    const ready = meant.find((worker) => this.#isAmid(fault.amid, worker));
    if (ready !== undefined) {
      faults.count(`stopped amid a ${fault.amid}`);
      return ready.drain(fault.ms);
    }
    if (looks > 0 && !resting) {
      const again = () => this.#drain(fault, looks - 1);
      scheduler.after(drainLooks.everyMs[fault.amid], null, "an operator looks at workers", again);
    } else if (fault.process !== anyWorker) meant[0]?.drain(fault.ms);
  }

  #isAmid(amid: Drain["amid"], { worker }: WorkerProcess): boolean {
    const { ledger, database, outside } = this.#world;
    const held = [...ledger.books.values()].filter(({ holder }) => holder === worker?.id);
    if (amid === "summary")
      return held.some(({ id, epoch }) => outside.underWay(id, epoch).includes("a summary"));
    const runs = held.some(({ state }) => state.run?.waitingSince === null);
    if (amid === "run") return runs;
    return !runs && held.some((book) => book.state.run === null && database.isWriting(book.id, book.epoch));
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

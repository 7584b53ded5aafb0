import {
  createFollowing,
  defaultFollowingSettings,
  type Following,
} from "../../src/operations/follow-events.ts";
import type { OperationsContext } from "../../src/operations/context.ts";
import { createEmptyDirectory } from "../../src/allocation/empty-directory.ts";
import { Worker } from "../../src/runtime/worker.ts";
import { Life } from "./engine/life.ts";
import { partsOf } from "./ports/parts.ts";
import type { Surroundings } from "./surroundings.ts";

/** Milliseconds that a process takes to come back. */
const restartMs = { least: 200, most: 6_000 };

/** A process of the server, life after life. */
abstract class Process {
  readonly name: string;
  readonly world: Surroundings;
  life: Life;
  #lives = 0;

  constructor(world: Surroundings, name: string) {
    this.world = world;
    this.name = name;
    this.life = this.#begin();
    this.life.dead = true;
  }

  get isUp(): boolean {
    return !this.life.dead;
  }

  start(): void {
    this.life = this.#begin();
    this.clear();
    this.world.scheduler.after(0, this.life, "starts", () => this.boot());
  }

  /** Comes back after a while, or at once when everything is to come to rest. */
  restart(): void {
    const { least, most } = restartMs;
    const ms = this.world.resting ? least : this.life.random.int(least, most);
    this.world.scheduler.after(ms, null, `${this.name} comes back`, () => {
      if (!this.isUp) this.start();
    });
  }

  protected abstract boot(): void;
  /** What the life before had is nothing of the next one, which boots a step later. */
  protected abstract clear(): void;

  #begin(): Life {
    const { scheduler, faults, random, epochMs } = this.world;
    this.#lives += 1;
    const name = `${this.name}.${this.#lives}`;
    return new Life({
      name,
      scheduler,
      faults,
      random: random.branch(name),
      epochMs,
      onCrash: () => {
        scheduler.note(name, "CRASHES");
        this.world.outside.forget(name);
        this.restart();
      },
    });
  }
}

export class WorkerProcess extends Process {
  worker: Worker | null = null;
  /** Until when runs may come to their end while it stops. */
  drainUntil = 0;

  protected clear(): void {
    this.worker = null;
  }

  protected boot(): void {
    const { life, world } = this;
    const worker = new Worker({ ...partsOf(world, life), settings: world.runtimeSettings });
    this.worker = worker;
    this.drainUntil = 0;
    // As a server that cannot start: it exits and is started again.
    worker.start().catch(() => life.crash());
  }

  /** It has the session in memory. What it holds without (its claim was never answered) it cannot bring to an end. */
  has(sessionId: string): boolean {
    return this.worker?.activation.get(this.world.template.orgId, sessionId) != null;
  }

  /** Stops in good order, then comes back. */
  drain(ms: number): void {
    const { life, worker } = this;
    if (life.dead || worker === null) return;
    const gone = () => {
      if (life.dead) return;
      life.end();
      this.restart();
    };
    this.drainUntil = this.world.scheduler.now + ms;
    worker.stop(ms).then(gone, gone);
  }
}

export class ApiProcess extends Process {
  operations: OperationsContext | null = null;
  following: Following | null = null;

  protected clear(): void {
    this.operations = null;
    this.following = null;
  }

  protected boot(): void {
    const parts = partsOf(this.world, this.life);
    const unused = (name: string) => ({ unused: name }) as never;
    this.operations = {
      ...parts,
      sandboxDirectory: createEmptyDirectory(parts.sandboxes),
      previews: unused("previews"),
      vault: unused("vault"),
      places: unused("places"),
      keys: { pepper: Buffer.alloc(32, 1) },
      passwords: unused("passwords"),
      loginAttempts: { take: async () => {} } as unknown as OperationsContext["loginAttempts"],
      data: unused("data"),
      audit: unused("audit"),
      stopping: new AbortController().signal,
      settings: {
        mailboxLimit: 1_000,
        syncWaitMs: 2_000,
        rereadMs: 250,
        workerAnswerMs: 1_000,
        inlineBytes: 65_536,
        toolResultBytes: 1_048_576,
        userModelProviders: false,
        previewDomain: null,
        sandboxMost: { memory: 4_096, cpus: 4, disk: 20_480 },
        system: {
          version: "0.0.0-simulation",
          mode: "single",
          coordination: "simulated",
          startedAt: this.world.epochMs,
          defaultModel: null,
          config: [],
        },
      },
    };
    this.following = createFollowing(this.operations, {
      ...defaultFollowingSettings,
      maxUnsent: 1_000,
      pageEvents: 7,
    });
  }
}

import type { Presence } from "../../src/coordination/presence.ts";
import type { Counter } from "../../src/coordination/counter.ts";
import { createInProcessCounter } from "../../src/coordination/in-process/counter.ts";
import { createInProcessPresence } from "../../src/coordination/in-process/presence.ts";
import type { OperationCall, OperationReply } from "../../src/store/sqlite/protocol.ts";
import type { ClaimOutcome } from "../../src/store/store.ts";
import type { Queue } from "../../src/coordination/queue.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { RuntimeSettings } from "../../src/runtime/context.ts";
import { createRandom, type Random } from "../chaos/random.ts";
import type { Book } from "./checks/book.ts";
import { Ledger } from "./checks/ledger.ts";
import { Violation } from "./checks/violation.ts";
import { Faults, type PortFault } from "./engine/faults.ts";
import { Scheduler } from "./engine/scheduler.ts";
import type { Fault } from "./plan/fault.ts";
import type { Plan } from "./plan/plan.ts";
import { Switchboard } from "./ports/bus.ts";
import type { BlobShelf } from "./ports/blobs.ts";
import { Database } from "./ports/database.ts";
import type { Disk } from "./ports/files.ts";
import { Mishaps } from "./ports/mishaps.ts";
import { Network } from "./ports/network.ts";
import { Outside } from "./ports/outside.ts";
import { createBroker } from "./ports/queue.ts";
import { ApiProcess, WorkerProcess } from "./processes.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Template } from "./template.ts";

type EventListener = (book: Book, event: Book["raw"][number]) => void;

/** All that one seed plays in: one database, one network, processes that come and go, and the ledger that knows the truth. */
export class World implements Surroundings {
  readonly plan: Plan;
  readonly template: Template;
  readonly epochMs: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly board = new Switchboard();
  readonly broker: Queue = createBroker();
  readonly presence: Presence;
  readonly counter: Counter;
  readonly blobs: BlobShelf = new Map();
  readonly disk: Disk = new Map();
  readonly outside: Outside;
  readonly storeClock: Clock;
  readonly runtimeSettings: RuntimeSettings;
  readonly workers: readonly WorkerProcess[];
  readonly apis: readonly ApiProcess[];
  readonly listeners: EventListener[] = [];
  violation: Violation | null = null;
  /** No more faults: everything shall come to rest. */
  resting = false;
  slowUntil = 0;
  downUntil = 0;
  /** How far the store's wall clock is off, milliseconds. */
  storeOffset = 0;

  constructor(plan: Plan, template: Template, keptSteps: number) {
    const { build, seed } = plan;
    const scheduler = new Scheduler({ kept: keptSteps });
    this.scheduler = scheduler;
    this.plan = plan;
    this.template = template;
    this.epochMs = template.epochMs;
    this.random = createRandom(`world ${seed}`);
    this.faults = new Faults(scheduler);
    this.network = new Network(scheduler, this.random.branch("network"), this.faults);
    const worldClock: Clock = {
      now: () => Math.floor(this.epochMs + scheduler.now),
      monotonic: () => scheduler.now,
      after: (ms, call) => ({ cancel: scheduler.after(ms, null, "timer", call) }),
    };
    this.storeClock = {
      ...worldClock,
      now: () => Math.floor(this.epochMs + scheduler.now + this.storeOffset),
    };
    this.presence = createInProcessPresence({ clock: worldClock });
    this.counter = createInProcessCounter({ clock: worldClock });
    this.database = new Database({
      image: template.image,
      scheduler,
      random: this.random.branch("writer"),
      clock: this.storeClock,
      weather: {
        slowCommits: () => scheduler.now < this.slowUntil,
        storeDown: () => scheduler.now < this.downUntil,
      },
      witness: (call, reply) => {
        this.checking(() => this.ledger.witness(call, reply));
        this.#tell(call, reply);
      },
      afterBatch: () => this.checking(() => this.ledger.checkRows()),
    });
    this.ledger = this.#openLedger();
    this.outside = new Outside({
      mishaps: new Mishaps(scheduler, this.faults),
      contextWindow: build.contextWindow,
      strict: build.strictWindow,
      atOnce: Math.min(build.concurrency, build.maxSessions),
      workerOf: (life) => this.workers.find((one) => one.life.name === life)?.worker?.id ?? null,
      ledger: () => this.ledger,
      fail: (thrown) => this.failWith(thrown),
      count: (what) => this.faults.count(what),
    });
    this.runtimeSettings = {
      leaseMs: build.leaseMs,
      mailboxPollMs: build.mailboxPollMs,
      sweepMs: build.sweepMs,
      snapshotEvery: build.snapshotEvery,
      concurrency: build.concurrency,
      fairShare: false,
      maxSessions: build.maxSessions,
      memoryLimitBytes: 1_000,
      memoryCheckMs: 2_000,
      idleTtlMs: build.idleTtlMs,
      clientToolTimeoutMs: build.approvalMs,
      defaultModel: null,
    };
    this.workers = Array.from({ length: build.workers }, (_, at) => new WorkerProcess(this, `w${at + 1}`));
    this.apis = Array.from({ length: build.apis }, (_, at) => new ApiProcess(this, `a${at + 1}`));
  }

  #openLedger(): Ledger {
    const { scheduler, database } = this;
    return new Ledger(database.connection.sql.bind(database.connection), {
      onEvent: (book, event) => {
        scheduler.note("log", `${book.id} ${event.seq} ${event.type}`);
        scheduler.mix(book.jsons[event.seq - 1] ?? "");
        this.outside.heard(book, event);
        if (event.type === "context.compacted")
          this.faults.count(`context compacted by ${event.data.method}`);
        for (const listen of this.listeners) listen(book, event);
      },
      underWay: (sessionId, epoch) => this.outside.underWay(sessionId, epoch),
      isWriting: (sessionId, epoch) => database.isWriting(sessionId, epoch),
      drainLeft: (workerId, sessionId) => {
        const process = this.workers.find(({ worker }) => worker?.id === workerId);
        return process?.has(sessionId) ? process.drainUntil - scheduler.now : 0;
      },
      count: (what) => this.faults.count(what),
      steady: () => scheduler.now,
    });
  }

  get processes(): readonly (WorkerProcess | ApiProcess)[] {
    return [...this.workers, ...this.apis];
  }

  /** Faults that fall on calls, each on one that it fits. */
  expect(faults: readonly Fault[]): void {
    this.faults.add(faults.filter((fault): fault is PortFault => "op" in fault));
    this.outside.mishaps.add(faults);
  }

  /** Lets go of what the checks know of sessions that are long gone. */
  forget(): void {
    this.ledger.forget();
    this.outside.forgetAnswers();
    this.database.forgetStuck();
    this.scheduler.forget();
  }

  start(): void {
    for (const process of this.processes) process.start();
  }

  /** From now on nothing goes wrong, and what went wrong is mended. */
  rest(): void {
    this.resting = true;
    this.faults.stop();
    this.outside.mishaps.stop();
    Object.assign(this.network.weather, { lossyUntil: 0, doublingUntil: 0, laggyUntil: 0 });
    this.network.silent = this.plan.build.silentRest;
    this.slowUntil = 0;
    this.downUntil = 0;
    for (const { life } of this.processes) {
      life.pausedUntil = 0;
      life.deafUntil = 0;
    }
  }

  /** What a story needs to know of who holds what. */
  #tell(call: OperationCall, reply: OperationReply): void {
    if (call.name === "claim") {
      const { ok, value } = reply.ok
        ? { ok: (reply.value as ClaimOutcome).ok, value: call.args }
        : { ok: false, value: call.args };
      this.scheduler.note("log", `${value.sessionId} ${ok ? "claimed" : "not claimed"} by ${value.workerId}`);
    }
    if (call.name === "release" && reply.ok)
      this.scheduler.note("log", `${call.args.sessionId} released: ${reply.value === true}`);
  }

  checking(check: () => void): void {
    try {
      check();
    } catch (thrown) {
      this.failWith(thrown);
    }
  }

  fail(invariant: string, message: string): void {
    this.failWith(new Violation(invariant, message));
  }

  failWith(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.violation ??=
      error instanceof Violation ? error : new Violation("simulation", error.stack ?? error.message);
    this.scheduler.stop();
  }

  close(): void {
    for (const { life } of this.processes) life.end();
    this.database.close();
  }
}

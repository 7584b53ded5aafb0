import type { RuntimeHealth, RuntimeStats } from "@berth/contract";
import { type WorkerCommand, workersGroup, workerTopic } from "../coordination/session-frames.ts";
import type { WakeUp } from "../coordination/queue.ts";
import { every, pause, type TimerHandle } from "../lib/clock.ts";
import { asBerthError, type BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import { knownEventVersion } from "../session/upcast.ts";
import { Activation } from "./activation.ts";
import { BudgetRoom } from "./budget-room.ts";
import type { Held, RuntimeContext } from "./context.ts";
import { Definitions } from "./definitions.ts";
import { Heartbeat } from "./heartbeat.ts";
import { loadSession } from "./load.ts";
import { RunSlots } from "./run-slots.ts";
import { SessionActor } from "./session-actor.ts";
import { sweep } from "./sweep.ts";
import { refusePoison } from "./turn.ts";
import { answerCommand } from "./worker-commands.ts";

/** Claims and loads that go on at once. */
const claimsAtOnce = 16;

/**
 * The role that runs sessions: takes wake-ups, claims sessions in the store, runs an actor for each, gives them back. A session stays
 * claimed while it is in the activation cache, so that its next input finds a warm fold.
 */
export class Worker {
  readonly id: string;
  readonly activation: Activation;
  readonly #context: RuntimeContext;
  readonly #heartbeat: Heartbeat;
  readonly #definitions: Definitions;
  readonly #slots: RunSlots;
  readonly #room: BudgetRoom;
  readonly #stopping = new AbortController();
  readonly #claiming = new Map<string, Promise<void>>();
  /** Sessions that the store may count as this worker's while nobody here runs them: their claim failed, or their actor ended. */
  readonly #adrift = new Map<string, WakeUp>();
  readonly #wokenMeanwhile = new Set<string>();
  readonly #timers: TimerHandle[] = [];
  #taking: Promise<void> | null = null;
  #unanswer: (() => void) | null = null;
  #draining = false;

  constructor(context: RuntimeContext) {
    this.#context = context;
    this.id = newId("worker", context.clock.now());
    this.#heartbeat = new Heartbeat(context, this.id, () => void this.#abandonAll("lease_lost"));
    this.#definitions = new Definitions(context.store);
    this.#slots = new RunSlots(context.settings.concurrency);
    this.#room = new BudgetRoom(context.clock);
    this.activation = new Activation(context);
  }

  /** Kills what a crashed server left behind, then says that this worker lives, then begins to take work. */
  async start(): Promise<void> {
    const { clock, settings, bus, sandboxes } = this.#context;
    await sandboxes.reapLeftovers();
    await this.#heartbeat.start();
    this.#unanswer = await bus.answer(workerTopic(this.id), (question) =>
      answerCommand(this, question as WorkerCommand),
    );
    await this.#announce();
    this.activation.start();
    this.#timers.push(
      every(clock, settings.mailboxPollMs, () => this.#pollMailboxes()),
      every(clock, settings.sweepMs, () => this.sweep()),
      every(clock, settings.leaseMs, () => this.#announce()),
    );
    this.#taking = this.#takeWork();
    await this.sweep();
  }

  /** Derives wake-ups from the store: orphaned sessions and timers that are due. Sessions that are adrift are no orphans there. */
  async sweep(): Promise<void> {
    await this.#quietly("sweep", async () => {
      await sweep(this.#context);
      if (this.#heartbeat.fresh)
        for (const lost of this.#adrift.values()) await this.#context.queue.push(lost);
    });
  }

  stats(): RuntimeStats {
    return this.activation.stats(this.#draining);
  }

  health(): RuntimeHealth {
    const { leaseMs } = this.#context.settings;
    const ok = this.#heartbeat.fresh && !this.#draining;
    return {
      ok,
      workerId: this.id,
      heartbeatAgeMs: Math.round(this.#heartbeat.ageMs),
      leaseMs,
      draining: this.#draining,
    };
  }

  /**
   * Takes no more work, lets runs come to their end for `drainMs`, then hands the rest over: what is committed stays, another worker
   * goes on from there. Idempotent.
   */
  async stop(drainMs: number): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#draining = true;
    this.#stopping.abort();
    for (const timer of this.#timers) timer.cancel();
    await this.#taking;
    await Promise.all(this.#claiming.values());
    for (const actor of this.activation.all()) actor.draining = true;
    await this.#drain(drainMs);
    for (const actor of this.activation.all()) await actor.abandon();
    this.activation.stop();
    this.#room.stop();
    this.#heartbeat.stop();
    this.#unanswer?.();
    await this.#quietly("leave", async () => {
      await this.#context.presence.leave(workersGroup, this.id);
      await this.#context.store.system.removeWorker(this.id);
    });
  }

  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.#context;
    const until = clock.monotonic() + drainMs;
    for (;;) {
      for (const actor of this.activation.all())
        await this.#quietly("drain", async () => void (await this.activation.evict(actor, "drain")));
      const busy = this.activation.all().some((actor) => actor.running);
      if (!busy || clock.monotonic() >= until) return;
      await pause(clock, 50);
      for (const actor of this.activation.all()) actor.wake();
    }
  }

  async #takeWork(): Promise<void> {
    const { signal } = this.#stopping;
    for (;;) {
      const wakeUp = await this.#context.queue.take(signal);
      if (wakeUp === null) return;
      const live = this.activation.get(wakeUp.orgId, wakeUp.sessionId);
      if (live !== null) {
        this.activation.touch(live);
        live.wake();
        continue;
      }
      await this.#waitForRoom(signal);
      while (this.#claiming.size >= claimsAtOnce) await Promise.race(this.#claiming.values());
      if (signal.aborted) return;
      this.#claimSoon(wakeUp);
    }
  }

  async #waitForRoom(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { changes } = this.activation;
      if (await this.activation.makeRoom(this.#claiming.size)) return;
      await this.activation.room(changes, signal);
    }
  }

  #claimSoon(wakeUp: WakeUp): void {
    const key = `${wakeUp.orgId}/${wakeUp.sessionId}`;
    if (this.#claiming.has(key)) {
      this.#wokenMeanwhile.add(key);
      return;
    }
    // It was claimed while this wake-up waited for room: a second claim would take it from its own actor.
    const live = this.activation.get(wakeUp.orgId, wakeUp.sessionId);
    if (live !== null) return live.wake();
    this.#adrift.set(key, wakeUp);
    const claiming = this.#quietly("claim", async () => {
      if (await this.#claim(wakeUp)) this.#adrift.delete(key);
    }).finally(() => {
      this.#claiming.delete(key);
      if (this.#wokenMeanwhile.delete(key)) this.activation.get(wakeUp.orgId, wakeUp.sessionId)?.wake();
      this.activation.noteQuiet();
    });
    this.#claiming.set(key, claiming);
  }

  /** False when the session is this worker's now and has no actor. */
  async #claim({ orgId, sessionId }: WakeUp): Promise<boolean> {
    const { store, settings, telemetry, bus } = this.#context;
    this.#heartbeat.assertFresh();
    const claimed = await store.system.claim({
      orgId,
      sessionId,
      workerId: this.id,
      leaseMs: settings.leaseMs,
      knownEventVersion,
    });
    if (!claimed.ok) {
      if (claimed.reason === "held")
        await bus.ask(
          workerTopic(claimed.holder),
          { op: "wake", orgId, sessionId } satisfies WorkerCommand,
          1_000,
        );
      return true;
    }
    failpoint("runtime.claimed");
    const { epoch, claimsWithoutEvent, record } = claimed;
    const takeover = record.status === "running";
    telemetry.sessionClaimed({ orgId, sessionId, epoch, takeover });
    const held = { orgId, sessionId, epoch };
    const actor = await this.#activate(held, claimsWithoutEvent);
    if (typeof actor === "boolean") return actor;
    this.activation.add(actor);
    await actor.start();
    return true;
  }

  /** Folds the session; one that cannot be folded is quarantined at once. Without an actor: whether it was given back. */
  async #activate(held: Held, claims: number): Promise<SessionActor | boolean> {
    const { store, telemetry } = this.#context;
    try {
      const loaded = await loadSession(this.#context, held, claims);
      const actor = new SessionActor(held, loaded, {
        context: this.#context,
        heartbeat: this.#heartbeat,
        definitions: this.#definitions,
        slots: this.#slots,
        room: this.#room,
        onEnd: (ended, error) => this.#ended(ended, error),
        onQuiet: () => this.activation.noteQuiet(),
      });
      await refusePoison(actor);
      return actor;
    } catch (thrown) {
      const error = asBerthError(thrown);
      if (error.retryable || error.code === "session_not_found") {
        return store.system.release(held);
      }
      telemetry.quarantined({ ...held, reason: "the session could not be read", error });
      await store.system.quarantine(held);
      return true;
    }
  }

  #ended(actor: SessionActor, error: BerthError): void {
    const { orgId, sessionId, epoch } = actor.held;
    this.activation.remove(actor);
    this.#adrift.set(`${orgId}/${sessionId}`, { orgId, sessionId });
    if (error.code === "fenced") this.#context.telemetry.sessionFenced({ orgId, sessionId, epoch });
    else this.#context.telemetry.unexpectedError({ where: "session", error, orgId, sessionId });
    // The next wake-up or sweep claims it anew, with a higher epoch.
    void this.#quietly("hand back", () => this.#context.queue.push({ orgId, sessionId }));
  }

  async #abandonAll(reason: string): Promise<void> {
    for (const actor of this.activation.all()) {
      const { orgId, sessionId, epoch } = actor.held;
      this.#context.telemetry.sessionFenced({ orgId, sessionId, epoch });
      this.activation.remove(actor);
      this.#adrift.set(`${orgId}/${sessionId}`, { orgId, sessionId });
      await this.#quietly(reason, () => actor.abandon());
    }
  }

  async #pollMailboxes(): Promise<void> {
    await this.#quietly("mailboxes", async () => {
      if (this.activation.all().length === 0) return;
      const seen = new Set<SessionActor>();
      for (const { orgId, sessionId } of await this.#context.store.system.heldMailboxes(this.id)) {
        const actor = this.activation.get(orgId, sessionId);
        if (actor !== null && !seen.has(actor)) actor.wake();
        if (actor !== null) seen.add(actor);
      }
    });
  }

  async #announce(): Promise<void> {
    const { presence, settings } = this.#context;
    const data = { stats: this.stats(), health: this.health() };
    await this.#quietly("presence", () =>
      presence.announce(workersGroup, this.id, data, 3 * settings.leaseMs),
    );
  }

  /** Runs a chore; what goes wrong is told and does not end the worker. */
  async #quietly(where: string, chore: () => Promise<void>): Promise<void> {
    try {
      await chore();
    } catch (error) {
      this.#context.telemetry.unexpectedError({ where, error });
    }
  }
}

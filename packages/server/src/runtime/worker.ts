import type { RuntimeHealth, RuntimeStats } from "@berth/contract";
import { type WorkerCommand, workersGroup, workerTopic } from "../coordination/session-frames.ts";
import type { WakeUp } from "../coordination/queue.ts";
import { every, pause, type TimerHandle, within } from "../lib/clock.ts";
import { asBerthError, type BerthError } from "../lib/errors.ts";
import { failpoint } from "../lib/failpoint.ts";
import { newId } from "../lib/id.ts";
import { knownEventVersion } from "../session/upcast.ts";
import { Activation, keyOf } from "./activation.ts";
import { BudgetRoom } from "./budget-room.ts";
import type { Held, RuntimeContext } from "./context.ts";
import { Definitions } from "./definitions.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Intake } from "./intake.ts";
import { loadSession } from "./load.ts";
import { RunSlots } from "./run-slots.ts";
import { type ActorDependencies, SessionActor } from "./session-actor.ts";
import { sweep } from "./sweep.ts";
import { ToolSets } from "./tool-sets.ts";
import { refusePoison } from "./turn.ts";
import { answerCommand } from "./worker-commands.ts";

/** How long a session whose lease was lost waits for what its actor lets go of: the host of its sandbox may be dead. Milliseconds. */
const leaveMs = 5_000;

/**
 * The role that runs sessions: takes wake-ups, claims sessions in the store, runs an actor for each, gives them back. A session stays
 * claimed while it is in the activation cache, so that its next input finds a warm fold.
 */
export class Worker {
  readonly id: string;
  readonly activation: Activation;
  readonly #context: RuntimeContext;
  readonly #heartbeat: Heartbeat;
  readonly #forActors: ActorDependencies;
  readonly #slots: RunSlots;
  readonly #room: BudgetRoom;
  readonly #intake: Intake;
  /** Sessions that the store may count as this worker's while nobody here runs them: their claim failed, or their actor ended. */
  readonly #adrift = new Map<string, WakeUp>();
  /** Sessions whose actor still lets go of what it had under the lease that was lost. Its sandbox would go from under the next one. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #timers: TimerHandle[] = [];
  #stopped = false;
  #unanswer: (() => void) | null = null;
  #unlisten: (() => void) | null = null;
  #draining = false;

  constructor(context: RuntimeContext) {
    this.#context = context;
    this.id = newId("worker", context.clock.now());
    this.#heartbeat = new Heartbeat(context, this.id, () => this.#abandonAll("lease_lost"));
    this.#slots = this.#openSlots(context);
    this.#room = new BudgetRoom(context.clock);
    this.#forActors = this.#sharedByActors(context);
    this.activation = new Activation(context);
    this.#intake = new Intake({
      context,
      activation: this.activation,
      slots: this.#slots,
      budgetRoom: this.#room,
      claim: (wakeUp) => this.#claim(wakeUp),
      adrift: this.#adrift,
    });
  }

  /** Kills what a crashed server left behind, then says that this worker lives, then begins to take work. */
  async start(): Promise<void> {
    const { clock, settings, bus, announcements, sandboxes } = this.#context;
    await sandboxes.reapLeftovers();
    await this.#heartbeat.start();
    this.#unanswer = await bus.answer(workerTopic(this.id), (question) =>
      answerCommand(this, question as WorkerCommand),
    );
    this.#unlisten = announcements.listen(this.id, (input) => {
      const actor = this.activation.get(input.orgId, input.sessionId);
      if (actor === null) return;
      this.activation.touch(actor);
      actor.announce(input);
    });
    await this.#announce();
    this.activation.start();
    this.#timers.push(
      every(clock, settings.mailboxPollMs, () => this.#pollMailboxes()),
      every(clock, settings.sweepMs, () => this.sweep()),
      every(clock, settings.leaseMs, () => this.#announce()),
    );
    this.#slots.start();
    this.#intake.start();
    await this.sweep();
  }

  #sharedByActors(context: RuntimeContext): ActorDependencies {
    const definitions = new Definitions(context.store);
    return {
      context,
      heartbeat: this.#heartbeat,
      definitions,
      toolSets: new ToolSets(context, definitions),
      slots: this.#slots,
      room: this.#room,
      onEnd: (ended, error) => this.#ended(ended, error),
      onQuiet: () => this.activation.noteQuiet(),
    };
  }

  /** Never more than there is room for: a run that goes on stays in memory. */
  #openSlots({ settings, shares, counter, clock, telemetry }: RuntimeContext): RunSlots {
    const { concurrency, maxSessions, fairShare: fair, leaseMs } = settings;
    return new RunSlots({
      size: Math.min(concurrency, maxSessions),
      fair,
      shares,
      counter,
      leaseMs,
      clock,
      telemetry,
      onRoom: () => this.#intake.reconsider(),
    });
  }

  /**
   * Derives wake-ups from the store: orphaned sessions and timers that are due. Sessions that are adrift are no orphans there. A worker
   * that may not claim finds nothing: its own sessions look orphaned then.
   */
  async sweep(): Promise<void> {
    await this.#quietly("sweep", async () => {
      if (!this.#heartbeat.fresh) return;
      await sweep(this.#context);
      if (this.#heartbeat.fresh) for (const lost of this.#adrift.values()) this.#intake.offer(lost);
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
   * goes on from there. Idempotent. Rejects, when all has ended, with why a session could not let go of what it had.
   */
  async stop(drainMs: number): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#draining = true;
    for (const timer of this.#timers) timer.cancel();
    await this.#intake.stop();
    for (const actor of this.activation.all()) actor.draining = true;
    await this.#drain(drainMs);
    const ends = this.activation.all().map((actor) => actor.abandon());
    const ended = await Promise.allSettled([...ends, ...this.#leaving.values()]);
    this.activation.stop();
    this.#room.stop();
    this.#slots.close();
    this.#heartbeat.stop();
    this.#unanswer?.();
    this.#unlisten?.();
    await this.#quietly("leave", async () => {
      await this.#context.presence.leave(workersGroup, this.id);
      await this.#context.store.system.removeWorker(this.id);
    });
    const why = ended.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
    if (why.length > 1) throw new AggregateError(why, why.map(String).join("; "));
    if (why.length === 1) throw why[0];
  }

  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.#context;
    const until = clock.monotonic() + drainMs;
    for (;;) {
      for (const actor of this.activation.all())
        await this.#quietly("drain", async () => void (await this.activation.evict(actor, "drain")));
      const busy = this.activation.all().some((actor) => actor.running || actor.turning);
      if (!busy || clock.monotonic() >= until) return;
      for (const actor of this.activation.all()) actor.wake();
      await pause(clock, 50);
    }
  }

  /** False when the session is this worker's now and has no actor, or none any more. */
  async #claim({ orgId, sessionId }: WakeUp): Promise<boolean> {
    const { store, settings, telemetry, bus } = this.#context;
    await this.#leaving.get(keyOf({ orgId, sessionId }));
    const lease = this.#heartbeat.assertFresh();
    const claimed = await store.system.claim({
      orgId,
      sessionId,
      workerId: this.id,
      leaseMs: settings.leaseMs,
      knownEventVersion,
    });
    if (!claimed.ok) {
      if (claimed.reason !== "held") return true;
      const wake: WorkerCommand = { op: "wake", orgId, sessionId };
      await bus.ask(workerTopic(claimed.holder), wake, 1_000);
      return true;
    }
    failpoint("runtime.claimed");
    const { epoch, claimsWithoutEvent, record } = claimed;
    const takeover = record.status === "running";
    telemetry.sessionClaimed({ orgId, sessionId, epoch, takeover });
    const held = { orgId, sessionId, epoch };
    const actor = await this.#activate(held, claimsWithoutEvent);
    if (typeof actor === "boolean") return actor;
    // Whoever thought this worker dead meanwhile may have taken the session.
    this.#heartbeat.assertFresh(lease);
    this.activation.add(actor);
    await actor.start();
    return this.activation.get(orgId, sessionId) === actor;
  }

  /** Folds the session; one that cannot be folded is quarantined at once. Without an actor: whether it was given back. */
  async #activate(held: Held, claims: number): Promise<SessionActor | boolean> {
    const { store, telemetry } = this.#context;
    try {
      const loaded = await loadSession(this.#context, held, claims);
      const actor = new SessionActor(held, loaded, this.#forActors);
      await refusePoison(actor);
      return actor;
    } catch (thrown) {
      const error = asBerthError(thrown);
      // Whatever waits or goes on in it: kept here it would be claimed again with each sweep, and be taken for poison by the third.
      if (error.retryable || error.code === "session_not_found")
        return store.system.release({ ...held, withInputs: true });
      telemetry.quarantined({ ...held, reason: "the session could not be read", error });
      await store.system.quarantine(held);
      return true;
    }
  }

  #ended(actor: SessionActor, error: BerthError): void {
    const { orgId, sessionId, epoch } = actor.held;
    this.activation.remove(actor);
    this.#adrift.set(keyOf(actor.held), { orgId, sessionId });
    if (["fenced", "lease_lost"].includes(error.code))
      this.#context.telemetry.sessionFenced({ orgId, sessionId, epoch });
    else this.#context.telemetry.unexpectedError({ where: "session", error, orgId, sessionId });
    // The next wake-up or sweep claims it anew, with a higher epoch.
    void this.#quietly("hand back", () => this.#context.queue.push({ orgId, sessionId }));
  }

  /** All in one step: while one lets go of its effects the lease may come back, and the others would go on under it. */
  #abandonAll(reason: string): void {
    for (const actor of this.activation.all()) {
      const { orgId, sessionId, epoch } = actor.held;
      this.#context.telemetry.sessionFenced({ orgId, sessionId, epoch });
      this.activation.remove(actor);
      const key = keyOf(actor.held);
      this.#adrift.set(key, { orgId, sessionId });
      const leaving = this.#leave(actor, reason).finally(() => this.#leaving.delete(key));
      this.#leaving.set(key, leaving);
    }
  }

  #leave(actor: SessionActor, reason: string): Promise<void> {
    return within(this.#context.clock, leaveMs, () => this.#quietly(reason, () => actor.abandon()));
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

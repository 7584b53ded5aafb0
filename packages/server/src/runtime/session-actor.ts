import type { AnnouncedInput } from "../coordination/announcements.ts";
import { sessionTopic } from "../coordination/session-frames.ts";
import { asBerthError, type BerthError } from "../lib/errors.ts";
import type { TimerHandle } from "../lib/clock.ts";
import { messageIdOf } from "../session/message-id.ts";
import { deadlineOf } from "../session/next-step.ts";
import { encodeState } from "../session/snapshot.ts";
import { type SessionState, stateVersion } from "../session/state.ts";
import type { Rewind } from "../store/records.ts";
import type { Blocking, Reserve } from "../store/budgets.ts";
import { Announced } from "./announced.ts";
import { NotAccepted } from "./committer.ts";
import type { Held } from "./context.ts";
import type { Draft } from "./draft.ts";
import { firstAttempt } from "./first-attempt.ts";
import { fenced, isHeldStill } from "./held-still.ts";
import type { LoadedSession } from "./load.ts";
import type { SessionAtWork, WaitingInput } from "./session-at-work.ts";
import { type PartDependencies, SessionParts } from "./session-parts.ts";
import { takeTurn } from "./turn.ts";

/** Shared by the sessions that have none of something. */
const nothing: readonly never[] = [];
const noTurn = Promise.resolve();

/** One object for all sessions of a worker. */
export interface ActorDependencies extends PartDependencies {
  /** The actor ended by itself: fenced, lease lost, or failed. */
  readonly onEnd: (actor: SessionActor, error: BerthError) => void;
  /** The actor has nothing to do for now. */
  readonly onQuiet: () => void;
}

/**
 * Runs one session that this process holds: takes inputs, decides, commits, lets effects run. One turn at a time; whatever comes
 * meanwhile (an input, a finished effect, a timer) wakes it for another. Only its commits change the session's log.
 */
export class SessionActor extends SessionParts implements SessionAtWork {
  readonly activatedAt: number;
  readonly owner: string;
  readonly initMs: number;
  #modelCalls = 0;
  state: SessionState;
  rewinds: readonly Rewind[];
  mailbox: readonly WaitingInput[] = nothing;
  /** On the monotonic clock. */
  lastUsedMs: number;
  recovered = false;
  draining = false;
  readonly poisoned: boolean;
  readonly #dependencies: ActorDependencies;
  readonly #announced = new Announced();
  #mailboxDirty = true;
  #woken = false;
  #turning = false;
  #turned: Promise<void> = noTurn;
  #stopped = false;
  #unanswer: (() => void) | null = null;
  #deadline: TimerHandle | null = null;
  #snapshotSeq: number;

  constructor(held: Held, loaded: LoadedSession, dependencies: ActorDependencies) {
    const { context } = dependencies;
    super({ dependencies, held, owner: loaded.state.owner, forkedAt: loaded.forkedAt });
    this.#dependencies = dependencies;
    this.state = loaded.state;
    this.owner = loaded.state.owner;
    this.rewinds = loaded.rewinds.length === 0 ? nothing : loaded.rewinds;
    this.poisoned = loaded.poisoned;
    this.initMs = loaded.initMs;
    this.#snapshotSeq = loaded.snapshotSeq;
    this.activatedAt = context.clock.now();
    this.lastUsedMs = context.clock.monotonic();
  }

  /** Begins to answer for the session's open blocks and takes the first turn; neither, when it ended while it waited for something. */
  async start(): Promise<void> {
    const { orgId, sessionId } = this.held;
    // Only a fork's files are made before somebody wants them.
    if (this.forkedAt !== null)
      this.workspace.prepare(this.state).catch((error: unknown) => this.#report("workspace", error));
    await this.models.ready().catch((error: unknown) => this.#report("model providers", error));
    this.#unanswer = await this.context.bus.answer(sessionTopic(orgId, sessionId), () => this.openBlocks());
    if (this.#stopped) this.#unanswer();
    this.#wakeUp();
  }

  /** Something came into the mailbox: these, where that is known. */
  wake(inputIds: readonly string[] = []): void {
    if (this.#announced.covers(inputIds)) return;
    this.#mailboxDirty = true;
    this.#wakeUp();
  }

  /** Something is about to come into the mailbox. Taken at once by a session that is at rest and knows of nothing else that waits. */
  announce(input: AnnouncedInput): void {
    const rests = this.#idle && this.state.run === null && !this.#mailboxDirty && this.mailbox.length === 0;
    if (!rests || this.draining || this.poisoned || this.#stopped) return;
    this.#announced.set(input);
    this.#wakeUp();
  }

  takeAnnounced(): WaitingInput | null {
    const input = this.#announced.take();
    if (input !== null) this.mailbox = [input];
    return input;
  }

  /** Takes another turn without reading the mailbox. */
  nudge(): void {
    this.#wakeUp();
  }

  /** True when nothing happens here: no turn, no effect, and no run but one that waits for people. */
  get quiet(): boolean {
    return this.#idle && (this.state.run === null || this.state.run.waitingSince !== null);
  }

  get #idle(): boolean {
    return !this.#turning && !this.#woken && !this.hasEffects;
  }

  /** Resolves when the turns that are under way have been taken. */
  turned(): Promise<void> {
    return this.#turned;
  }

  get running(): boolean {
    return this.state.run !== null && this.state.run.waitingSince === null;
  }

  get woken(): boolean {
    return this.#woken;
  }

  /** True while a turn is taken, or is about to be: what it will come to is not known yet. */
  get turning(): boolean {
    return this.#turning || this.#woken;
  }

  /** Inputs that wait, read anew when something came. */
  async readMailbox(): Promise<readonly WaitingInput[]> {
    if (this.#mailboxDirty) {
      this.#mailboxDirty = false;
      const { orgId, sessionId } = this.held;
      this.mailbox = await this.context.store.session(orgId, sessionId).mailbox();
    }
    return this.mailbox;
  }

  /** Commits a draft and makes its state the session's; or nothing of it, for what is in its way. */
  async commit(draft: Draft): Promise<readonly Blocking[] | null> {
    this.calls.settleRest(draft, this.context.clock.now());
    const takesNext = this.#announced.isTakenBy(draft.taken);
    const judged = await this.bench.committer.commit(draft, this.mailbox, { takesNext });
    if (!judged.ok) return judged.blocking;
    this.#announced.committed(draft.taken);
    this.calls.begun(draft.reserves, judged.overruns);
    this.calls.ended(draft);
    if (draft.settles.length > 0) this.room.settled(this.held.orgId);
    this.state = draft.state;
    const left = this.mailbox.filter((input) => !draft.taken.includes(input.id));
    this.mailbox = left.length === 0 ? nothing : left;
    for (const event of draft.events) {
      if (event.type === "step.finished" && event.stepId !== undefined)
        this.live.close(messageIdOf(event.stepId));
      if (event.type === "session.rewound")
        this.rewinds = [...this.rewinds, { at: event.seq, toSeq: event.data.toSeq }];
    }
    if (this.state.run === null) for (const ids of [this.begun, this.forced, this.tooLong]) ids.clear();
    this.lastUsedMs = this.context.clock.monotonic();
    if (this.state.seq - this.#snapshotSeq >= this.context.settings.snapshotEvery)
      void this.#writeSnapshot().catch((error: unknown) => this.#report("snapshot", error));
    this.bench.status.tell(this.state);
    return null;
  }

  /** Reserves a model call that no commit begins; says what is in its way. */
  async reserve(call: Reserve): Promise<readonly Blocking[]> {
    const judged = await this.bench.committer.reserve([call]);
    if (!judged.ok) return judged.blocking;
    this.calls.begun([call], judged.overruns);
    return [];
  }

  /** Number of the next model call's first attempt: rises within an epoch, and with the epoch. Retries inside a call add one each. */
  nextAttempt(): number {
    return firstAttempt(this.held.epoch, ++this.#modelCalls);
  }

  /** Gives the session back if it is quiet and its mailbox is empty (not asked when known: that would wake it), or, to park one that stands in line, if nothing of it is under way. False: it has to stay. */
  async release({ park = false }: { readonly park?: boolean } = {}): Promise<boolean> {
    const may = park ? this.#idle : this.quiet && this.mailbox.length === 0;
    if (!may || this.#stopped) return false;
    this.#turning = true;
    try {
      if (this.state.seq > this.#snapshotSeq) await this.#writeSnapshot();
      if (!(await this.context.store.system.release({ ...this.held, withInputs: park }))) {
        if (!(await isHeldStill(this.context.store, this.held))) void this.#fail(fenced("released"));
        return false;
      }
      await this.#leave();
      return true;
    } finally {
      this.#turning = false;
      if (!this.#stopped) this.wake();
    }
  }

  /** Stops at once and writes nothing: another holder goes on from the log. Tools and model calls are ended. */
  async abandon(): Promise<void> {
    if (!this.#stopped) await this.#end();
  }

  async #end(): Promise<void> {
    this.#stopped = true;
    this.#deadline?.cancel();
    this.#unanswer?.();
    this.slots.leave(this);
    this.room.leave(this.held.orgId, this);
    this.workspace.leave();
    await this.endWork();
    await this.workspace.release();
  }

  /** For an end after which nobody here may run it, whatever could not be let go of. */
  async #leave(): Promise<void> {
    await this.#end().catch((error: unknown) => this.#report("end of a session", error));
  }

  #wakeUp(): void {
    this.#woken = true;
    if (this.#turning || this.#stopped) return;
    this.#turning = true;
    this.#turned = this.#turns().catch((thrown: unknown) => this.#fail(thrown));
  }

  async #turns(): Promise<void> {
    try {
      while (this.#woken && !this.#stopped) {
        this.#woken = false;
        if (await this.#turn()) this.#woken = true;
      }
    } finally {
      this.#turning = false;
    }
    this.#watchDeadline();
    if (this.#woken) this.#wakeUp();
    else if (this.quiet) {
      if (this.state.run === null) this.clear();
      this.#turned = noTurn;
      this.#dependencies.onQuiet();
    }
  }

  protected override onWork(): void {
    this.#wakeUp();
  }

  protected override onFault(fault: unknown): void {
    void this.#fail(fault);
  }

  /** True when another turn is due at once. */
  async #turn(): Promise<boolean> {
    const more = await takeTurn(this).catch((thrown: unknown) => {
      if (thrown instanceof NotAccepted) return true;
      throw thrown;
    });
    if (!this.#announced.endTurn()) return more;
    this.#mailboxDirty = true;
    return true;
  }

  async #fail(thrown: unknown): Promise<void> {
    if (this.#stopped) return;
    await this.#leave();
    this.#dependencies.onEnd(this, asBerthError(thrown));
  }

  #watchDeadline(): void {
    this.#deadline?.cancel();
    this.#deadline = null;
    const { run } = this.state;
    if (run === null || run.waitingSince !== null || this.#stopped) return;
    const now = this.context.clock.now();
    this.#deadline = this.context.clock.after(Math.max(0, deadlineOf(run, now) - now), () => this.#wakeUp());
  }

  #report(where: string, error: unknown): void {
    this.context.telemetry.unexpectedError({ where, error, ...this.held });
  }

  async #writeSnapshot(): Promise<void> {
    const { orgId, sessionId, epoch } = this.held;
    const snapshot = { seq: this.state.seq, stateVersion, body: encodeState(this.state), epoch };
    this.#snapshotSeq = snapshot.seq;
    await this.context.store.session(orgId, sessionId).putSnapshot(snapshot);
  }
}

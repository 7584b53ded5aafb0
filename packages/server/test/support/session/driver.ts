import type { InputBody, SessionEvent } from "@berth/contract";
import { hashJson } from "../../../src/lib/canonical-json.ts";
import { decideInput, type MailboxInput, nextInput, type Taken } from "../../../src/session/decide-input.ts";
import { decideRewind, decideRollback } from "../../../src/session/decide-rewind.ts";
import { type PartialText, recover, type RunPlan } from "../../../src/session/decide-run.ts";
import { evolve } from "../../../src/session/evolve.ts";
import { effectiveEvents, fold, rewindsOf } from "../../../src/session/fold.ts";
import { type NewEvent, placeOf, stamp } from "../../../src/session/new-event.ts";
import { type Action, nextStep, type Policy } from "../../../src/session/next-step.ts";
import { project } from "../../../src/session/project.ts";
import { decodeState, encodeState } from "../../../src/session/snapshot.ts";
import type { SessionState } from "../../../src/session/state.ts";
import { epochMs, idOf, isoAt } from "./ids.ts";
import { Rows } from "./rows.ts";
import { budgetReached, limits, person, plan, story } from "./story.ts";
import { type Transition, isTransition, transit } from "./transit.ts";

/** What one commit did, for who checks it. */
export interface Commit {
  readonly before: SessionState;
  readonly events: readonly SessionEvent[];
  readonly taken: readonly MailboxInput[];
}

export interface DriverOptions {
  /** Tokens that every model takes. */
  readonly window?: number;
  readonly limits?: Partial<RunPlan["limits"]>;
  /** The log to go on from; without one a session that was just created. */
  readonly log?: readonly SessionEvent[];
  readonly onCommit?: (driver: Driver, commit: Commit) => void;
}

/** A server's tool that was really started: what a tool would see. */
export interface ToolStart {
  readonly toolUseId: string;
  readonly effect: string;
  readonly hash: string;
  readonly epoch: number;
}

const lanes = { control: 0, steer: 1, queue: 2 } as const;

/**
 * Plays one session as a store and a runtime would, purely in memory. What `commit` has taken is the store's; the draft, the state
 * and the effects under way are the holder's, and a crash loses them.
 */
export class Driver {
  /** The raw log. */
  readonly raw: SessionEvent[];
  /** Every input that was ever accepted, in order. */
  readonly accepted: MailboxInput[] = [];
  readonly starts: ToolStart[] = [];
  readonly rows = new Rows();
  readonly snapshots: { readonly seq: number; readonly text: string }[] = [];
  readonly running = new Set<string>();
  readonly thinking = new Map<string, string>();
  readonly compacting = new Map<string, Extract<Action, { type: "compact" }>>();
  /** The state at the end of the log. */
  committed: SessionState;
  /** The state at the end of the draft. */
  state: SessionState;
  epoch = 1;
  now = epochMs;
  readonly #options: DriverOptions;
  readonly #numbers = new Map<string, number>();
  #mailbox: MailboxInput[] = [];
  #draft: SessionEvent[] = [];
  #taken: MailboxInput[] = [];

  constructor(options: DriverOptions = {}) {
    this.#options = options;
    this.raw = [...(options.log ?? story().events)];
    this.committed = fold(effectiveEvents(this.raw));
    this.state = this.committed;
  }

  mint(kind: Parameters<typeof idOf>[0]): string {
    const number = (this.#numbers.get(kind) ?? this.#options.log?.length ?? 0) + 1;
    this.#numbers.set(kind, number);
    return idOf(kind, number);
  }

  get plan(): RunPlan {
    return { ...plan, limits: { ...limits, ...this.#options.limits } };
  }

  get policy(): Policy {
    const window = this.#options.window ?? 100_000;
    return { now: this.now, contextWindow: () => window, inFlight: this.running };
  }

  /** What waits, in the order of lanes and of acceptance. */
  get mailbox(): readonly MailboxInput[] {
    const waiting = this.#mailbox.filter((input) => !this.#taken.includes(input));
    return waiting.toSorted((a, b) => lanes[a.lane] - lanes[b.lane]);
  }

  /** Accepts an input, as an operation does, whatever the holder does meanwhile. */
  accept(body: InputBody, lane: MailboxInput["lane"] = "control"): MailboxInput {
    const begins = body.type === "user.message" || body.type === "run.retry";
    const runId = begins ? this.mint("run") : null;
    const actor = body.type === "timer" ? ({ type: "system", id: "timer" } as const) : person;
    const input = { id: this.mint("input"), lane, body, runId, actor };
    this.accepted.push(input);
    this.#mailbox.push(input);
    if (runId !== null) this.rows.queue(runId);
    return input;
  }

  /** Accepts an input for every timer that is due. */
  fireTimers(): void {
    for (const { kind, ref } of this.rows.due(this.now)) this.accept({ type: "timer", kind, ref });
  }

  /** Takes the next input that may be taken into the draft; null when all have to wait. */
  take(partials: readonly PartialText[] = []): MailboxInput | null {
    const input = nextInput(this.state, this.mailbox);
    if (input === null) return null;
    const { events, taken } = this.#decide(input, partials);
    this.add(events);
    this.#taken.push(...this.#mailbox.filter(({ id }) => taken.includes(id)));
    return input;
  }

  #decide(input: MailboxInput, partials: readonly PartialText[]): Taken {
    const { body } = input;
    const context = { now: this.now, plan: this.plan, mailbox: this.mailbox, partials };
    if (body.type === "session.rewind")
      return decideRewind(this.state, input, this.#back(body.toSeq, partials));
    const { run } = this.state;
    if (body.type === "user.message" && body.onBusy === "rollback" && run !== null) {
      const back = this.#back(run.firstSeq - 1, partials);
      return decideRollback(this.state, { ...input, content: body.content }, { ...back, plan: this.plan });
    }
    const edited = body.type === "user.approval" && body.decision === "edit" && body.input !== "unusable";
    return decideInput(this.state, input, {
      ...context,
      ...(edited && { editedHash: hashJson(body.input) }),
      ...("path" in body &&
        body.path === "/forbidden" && { fileError: { code: "forbidden", message: "No." } }),
    });
  }

  #back(toSeq: number, partials: readonly PartialText[]) {
    const began = this.raw.filter((event) => event.type === "agent.tool_started" && event.seq > toSeq);
    const outsideEffects = began.map(({ data, seq }) => ({
      toolUseId: "toolUseId" in data ? (data.toolUseId ?? "") : "",
      name: "bash_run",
      seq,
    }));
    const target = toSeq < 1 || toSeq > this.committed.seq ? null : this.stateAt(toSeq);
    return {
      now: this.now,
      partials,
      target,
      rewinds: rewindsOf([...this.raw, ...this.#draft]),
      outsideEffects,
    };
  }

  /** The state as it was at a seq, as the store loads it: what later rewinds undid is there. */
  stateAt(seq: number): SessionState {
    return fold(effectiveEvents(this.raw.slice(0, seq)));
  }

  /** Writes the transitions that are next into the draft; false when none is. */
  transit(): boolean {
    const transitions = nextStep(this.state, this.policy).filter(isTransition);
    for (const transition of transitions) this.#transit(transition);
    return transitions.length > 0;
  }

  #transit(transition: Transition): void {
    const { now, epoch } = this;
    const mint = () => this.mint("step");
    this.add(transit(this.state, transition, { now, epoch, mint }));
  }

  /** True when a model call would begin and nothing of the run is under way: where a budget may be in its way. */
  get mayPause(): boolean {
    const busy = this.thinking.size + this.running.size + this.compacting.size > 0;
    if (busy || Object.values(this.state.namespaces).some((at) => at.step !== null)) return false;
    return nextStep(this.state, this.policy).some(({ type }) => type === "begin_step");
  }

  /** A budget is in the way of the next model call, instead of which the run waits. */
  pause(resetsAt: string | null): void {
    this.add([budgetReached({ resetsAt })]);
  }

  /** Adds events to the draft. */
  add(events: readonly NewEvent[]): void {
    for (const event of stamp(placeOf(this.state), events, isoAt(this.now))) {
      const base = event.type === "session.rewound" ? this.stateAt(event.data.toSeq) : this.state;
      this.state = evolve(base, event);
      this.#draft.push(event);
    }
  }

  /** Appends the draft, aborts the effects that nobody wants any more, and begins the new ones. */
  commit(): void {
    const commit = { before: this.committed, events: this.#draft, taken: this.#taken };
    if (this.#draft.length > 0) {
      this.rows.apply(project(this.committed, this.#draft, this.state, this.#taken));
      this.raw.push(...this.#draft);
      this.#mailbox = this.#mailbox.filter((input) => !this.#taken.includes(input));
      this.committed = this.state;
      this.#draft = [];
      this.#taken = [];
      if (this.raw.length % 5 === 0) this.#snapshot();
      this.#options.onCommit?.(this, commit);
    }
    this.#effects();
  }

  #snapshot(): void {
    this.snapshots.push({ seq: this.committed.seq, text: encodeState(this.committed) });
  }

  #effects(): void {
    const wanted = nextStep(this.state, this.policy);
    const calls = new Set(wanted.flatMap((one) => (one.type === "run_tool" ? [one.toolUseId] : [])));
    for (const toolUseId of this.running) if (!calls.has(toolUseId)) this.running.delete(toolUseId);
    this.thinking.clear();
    this.compacting.clear();
    for (const action of wanted) {
      if (action.type === "call_model") this.thinking.set(action.namespace, action.stepId);
      if (action.type === "compact") this.compacting.set(action.namespace, action);
      if (action.type === "run_tool" && !this.running.has(action.toolUseId)) this.#start(action);
    }
  }

  #start({ namespace, toolUseId }: Extract<Action, { type: "run_tool" }>): void {
    const call = this.state.namespaces[namespace]?.calls.find((one) => one.toolUseId === toolUseId);
    if (call === undefined) throw new Error(`nextStep wants to run ${toolUseId}, which is not there`);
    this.running.add(toolUseId);
    this.starts.push({ toolUseId, effect: call.effect, hash: hashJson(call.input), epoch: this.epoch });
  }

  /** The holder dies; the next one folds what was committed and goes on from there. */
  crash(): void {
    this.#draft = [];
    this.#taken = [];
    this.running.clear();
    this.epoch += 1;
    this.committed = this.reload();
    this.state = this.committed;
    this.add(recover(this.state, this.epoch));
    this.commit();
  }

  /** The state from the newest snapshot that no rewind undid, and the log after it. */
  reload(): SessionState {
    const visible = effectiveEvents(this.raw);
    const seqs = new Set(visible.map((event) => event.seq));
    const snapshot = this.snapshots.findLast(({ seq }) => seqs.has(seq));
    if (snapshot === undefined) return fold(visible);
    const after = visible.filter((event) => event.seq > snapshot.seq);
    return fold(after, decodeState(snapshot.text));
  }
}

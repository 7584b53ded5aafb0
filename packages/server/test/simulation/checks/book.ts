import type { InputBody, SessionEvent } from "@berth/contract";
import { deserialize, serialize } from "node:v8";
import { evolve } from "../../../src/session/evolve.ts";
import { effectiveEvents, fold } from "../../../src/session/fold.ts";
import { initialState, type SessionState } from "../../../src/session/state.ts";
import { decodeEvent } from "../../../src/session/upcast.ts";
import type { Lane } from "../../../src/store/records.ts";
import { CallBook } from "./call-book.ts";
import { ContextBook } from "./context-book.ts";
import type { DefinitionBook } from "./definitions.ts";
import { SpendingBook } from "./spending-book.ts";
import { must } from "./violation.ts";

export interface AcceptedInput {
  readonly id: string;
  readonly lane: Lane;
  readonly type: InputBody["type"];
  /** Order of acceptance in the session. */
  readonly order: number;
  readonly clientId: string | null;
  taken: boolean;
}

/** What was committed of one session, checked with each commit. Knows the log from its commits alone. */
export class Book {
  readonly id: string;
  readonly raw: SessionEvent[] = [];
  readonly jsons: string[] = [];
  readonly inputs = new Map<string, AcceptedInput>();
  readonly calls = new CallBook();
  readonly context: ContextBook;
  readonly spending: SpendingBook;
  readonly forkedAt: number;
  state: SessionState = initialState;
  epoch = 0;
  holder: string | null = null;
  deleted = false;
  quarantined = false;
  /** Claims since the last event, or since it was given back in good order. */
  claims = 0;
  /** Inputs that wait. */
  open = 0;
  /** It was given back while its run waits for people. */
  hibernates = false;
  readonly #definitions: DefinitionBook;
  readonly #lastTaken: Record<Lane, number> = { control: -1, steer: -1, queue: -1 };
  #run: string | null = null;

  constructor(id: string, definitions: DefinitionBook, prefix: readonly string[] = []) {
    this.id = id;
    this.context = new ContextBook(id);
    this.spending = new SpendingBook(id);
    this.#definitions = definitions;
    this.forkedAt = prefix.length;
    for (const json of prefix) this.#note(json);
  }

  accept(input: Omit<AcceptedInput, "order" | "taken">): void {
    must(!this.inputs.has(input.id), "I3", () => `input ${input.id} was accepted twice`);
    const same = [...this.inputs.values()].find(
      ({ clientId }) => clientId !== null && clientId === input.clientId,
    );
    must(same === undefined, "I3", () => `client id ${input.clientId} was accepted twice in ${this.id}`);
    this.inputs.set(input.id, { ...input, order: this.inputs.size, taken: false });
    this.open += 1;
  }

  /** A commit that the store took. */
  append(commit: {
    epoch: number;
    expectedSeq: number;
    taken: readonly string[];
    jsons: readonly string[];
  }): readonly SessionEvent[] {
    const { epoch, expectedSeq, taken, jsons } = commit;
    must(!this.deleted, "I2", () => `${this.id} was written after it was deleted`);
    must(epoch === this.epoch, "I2", () => `${this.id}: epoch ${epoch} wrote while ${this.epoch} holds it`);
    must(this.holder !== null, "I2", () => `${this.id} was written while nobody held it`);
    must(
      expectedSeq === this.raw.length,
      "I1",
      () => `${this.id}: ${expectedSeq} was expected at ${this.raw.length}`,
    );
    const events = jsons.map((json) => this.#note(json));
    if (events.length > 0) this.claims = 0;
    const named = events.flatMap(({ inputId }) => (inputId === undefined ? [] : [inputId]));
    for (const event of events) if (event.inputId !== undefined) this.#take(event, event.inputId);
    must(
      taken.length === named.length && taken.every((id) => named.includes(id)),
      "I3",
      () => `${this.id}: the inputs ${taken.join()} were taken by events of ${named.join()}`,
    );
    return events;
  }

  /** Nobody holds it, in good order. */
  giveBack(): void {
    this.hibernates = this.state.run?.waitingSince != null;
    this.holder = null;
    this.claims = 0;
  }

  /** Puts its copy of the log, and what it knows of inputs and calls, outside of the heap, until the returned function is called. */
  putAway(): () => void {
    const kept = serialize([this.raw, this.jsons, this.inputs]);
    this.raw.length = 0;
    this.jsons.length = 0;
    this.inputs.clear();
    const restoreCalls = this.calls.putAway();
    const restoreContext = this.context.putAway();
    return () => {
      const [raw, jsons, inputs] = deserialize(kept) as [SessionEvent[], string[], Book["inputs"]];
      this.raw.push(...raw);
      this.jsons.push(...jsons);
      for (const [id, input] of inputs) this.inputs.set(id, input);
      restoreCalls();
      restoreContext();
    };
  }

  /** State of the effective log up to a seq, folded from its beginning. */
  stateAt(seq: number): SessionState {
    return fold(effectiveEvents(this.raw.slice(0, seq)));
  }

  #take(event: SessionEvent, inputId: string): void {
    const input = this.inputs.get(inputId);
    must(
      input !== undefined,
      "I3",
      () => `${this.id}: event ${event.seq} takes ${inputId}, which was never accepted`,
    );
    must(
      !input.taken,
      "I3",
      () => `${this.id}: input ${inputId} (${input.type}) has a second event, ${event.seq}`,
    );
    input.taken = true;
    this.open -= 1;
    const { lane, order } = input;
    if (event.type === "input.refused" && event.data.code === "cancelled") return;
    must(
      order > this.#lastTaken[lane],
      "I3",
      () => `${this.id}: ${inputId} (${input.type}) was taken after a later one of its lane`,
    );
    this.#lastTaken[lane] = order;
  }

  #note(json: string): SessionEvent {
    const event = decodeEvent(json);
    must(
      event.seq === this.raw.length + 1,
      "I1",
      () => `${this.id}: seq ${event.seq} follows ${this.raw.length}`,
    );
    if (event.type === "session.rewound") this.#checkRewind(event.data.toSeq, event.seq);
    this.raw.push(event);
    this.jsons.push(json);
    this.#noteRun(event);
    this.calls.note(event);
    this.context.note(event, this.raw);
    if (event.type === "agent.tool_use") this.#definitions.judged(this.id, this.state, event);
    this.state =
      event.type === "session.rewound" ? fold(effectiveEvents(this.raw)) : evolve(this.state, event);
    this.spending.note(event, this.state);
    return event;
  }

  /** What was undone stays undone: nobody goes back into it. */
  #checkRewind(toSeq: number, seq: number): void {
    const isThere = effectiveEvents(this.raw).some((event) => event.seq === toSeq);
    must(isThere, "I8", () => `${this.id} was rewound at ${seq} to ${toSeq}, which was undone before`);
  }

  #noteRun({ type, seq, runId }: SessionEvent): void {
    if (type === "run.started") {
      must(this.#run === null, "I4", () => `${this.id}: a run started at ${seq} while ${this.#run} went on`);
      must(!this.state.archived, "archive", () => `${this.id}: a run started at ${seq} in the archive`);
      this.#run = runId ?? "";
    }
    if (type !== "run.finished") return;
    must(
      runId === this.#run,
      "I4",
      () => `${this.id}: ${runId} finished at ${seq} while ${this.#run} went on`,
    );
    this.#run = null;
  }
}

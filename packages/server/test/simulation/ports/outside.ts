import type { SessionEvent } from "@berth/contract";
import type { ModelCall } from "../../../src/models/model.ts";
import type { Book } from "../checks/book.ts";
import type { Ledger } from "../checks/ledger.ts";
import { must } from "../checks/violation.ts";
import type { Mishaps } from "./mishaps.ts";
import type { Caller, ModelWorld } from "./models.ts";
import { asksForSummary, type Summary, summaryNumber } from "./summary.ts";
import type { ToolStart, ToolWorld } from "./tools.ts";
import type { Work } from "./work.ts";

const keptAnswers = 1_000;
const forgotten: Summary = { sessionId: "", epoch: null, shown: "", text: "", used: true };

/** The world that models and tools act in, which outlives every crash, and what is checked when they start. */
export class Outside implements ModelWorld, ToolWorld {
  readonly mishaps: Mishaps;
  readonly contextWindow: number;
  readonly strict: boolean;
  readonly answers: string[] = [];
  readonly summaries: Summary[] = [];
  /** By life. */
  readonly #underWay = new Map<string, Set<Work>>();
  /** Sessions whose runs may go on at once in one process. */
  readonly #atOnce: number;
  readonly #workerOf: (life: string) => string | null;
  readonly #ledger: () => Ledger;
  readonly #fail: (thrown: unknown) => void;
  readonly #count: (what: string) => void;
  /** Who waits for a summary of a session to begin. */
  readonly #awaited = new Map<string, () => void>();

  constructor(options: {
    mishaps: Mishaps;
    contextWindow: number;
    strict: boolean;
    atOnce: number;
    workerOf: (life: string) => string | null;
    ledger: () => Ledger;
    fail: (thrown: unknown) => void;
    count: (what: string) => void;
  }) {
    this.mishaps = options.mishaps;
    this.contextWindow = options.contextWindow;
    this.strict = options.strict;
    this.#atOnce = options.atOnce;
    this.#workerOf = options.workerOf;
    this.#ledger = options.ledger;
    this.#fail = options.fail;
    this.#count = options.count;
  }

  readonly started = (start: ToolStart): void => {
    this.#check(() => {
      const { sessionId, tool, life } = start;
      const book = this.#ledger().book(sessionId);
      book.calls.started(start);
      const by = this.#workerOf(life);
      must(
        book.deleted || book.holder === by,
        "lease",
        () => `${life} (${by}) ran ${tool} for ${sessionId}, which ${book.holder} holds`,
      );
    });
  };

  readonly called = ({ sessionId, epoch }: Caller, call: ModelCall, signal: AbortSignal): void => {
    this.#check(() => {
      must(
        sessionId !== undefined,
        "simulation",
        () => "a model is called, and nobody says for which session",
      );
      const book = this.#ledger().book(sessionId);
      if (book.epoch !== epoch || signal.aborted) return;
      const { request } = call;
      if (asksForSummary(call)) return this.#awaited.get(sessionId)?.();
      this.#ledger().definitions.called(book.id, book.state, request.system);
      if (book.context.shown(request.messages)) this.#count("a model is shown a summary");
    });
  };

  /** Calls back when a summary of a session begins to be written, once. */
  whenSummarized(sessionId: string, call: () => void): void {
    const others = this.#awaited.get(sessionId);
    this.#awaited.set(sessionId, () => {
      this.#awaited.delete(sessionId);
      others?.();
      call();
    });
  }

  /** What the log says that a model said, it said. */
  heard(book: Book, { seq, type, data }: SessionEvent): void {
    if (type === "context.compacted" && data.summary !== undefined) this.#summarized(book, seq, data.summary);
    if (type !== "agent.message") return;
    const { text, partial = false } = data;
    must(
      this.isAnswer(text, { whole: !partial }),
      "text",
      () => `event ${seq} is ${JSON.stringify(text)}, which no model said`,
    );
  }

  /** A summary is whole, of what it stands for, and in the log once: of the holder who asked for it. */
  #summarized(book: Book, seq: number, text: string): void {
    const number = summaryNumber(text) ?? -1;
    const summary = this.summaries[number];
    must(
      summary?.text === text,
      "summary",
      () => `the summary ${JSON.stringify(text)} of ${book.id} at ${seq} was written by no model`,
    );
    must(
      summary.sessionId === book.id && summary.epoch === book.epoch,
      "summary",
      () => `the summary at ${seq} of ${book.id} was asked for by another holder, of ${summary.sessionId}`,
    );
    must(!summary.used, "summary", () => `${book.id} has the summary ${number} twice, at ${seq}`);
    summary.used = true;
    book.context.replacedBy(seq, summary.shown);
  }

  /** True when a text is an answer of a model, or how one begins, and not put together of several. */
  isAnswer(text: string, { whole }: { whole: boolean }): boolean {
    const said = this.answers[Number(/^I answer\[(\d+)\]/.exec(text)?.[1] ?? -1)];
    return said !== undefined && (whole ? said === text : said.startsWith(text));
  }

  /** Lets go of the texts of answers but the newest. */
  forgetAnswers(): void {
    this.answers.fill("", 0, Math.max(0, this.answers.length - keptAnswers));
    for (let at = this.summaries.length - keptAnswers - 1; at >= 0; at--) {
      if (this.summaries[at] === forgotten) break;
      this.summaries[at] = forgotten;
    }
  }

  /** A life is over, and all that it had under way. */
  forget(life: string): void {
    this.#underWay.delete(life);
  }

  /** What a holder of a session has under way: model calls and tools. */
  underWay(sessionId: string, epoch: number): readonly string[] {
    const all = [...this.#underWay.values()].flatMap((works) => [...works]);
    return all
      .filter((work) => work.sessionId === sessionId && work.epoch === epoch && !work.signal.aborted)
      .map(({ what }) => what);
  }

  /** Notes what a life does for a session until the returned function is called. What was told to stop does not count. */
  readonly begin = (life: string, begun: Work): (() => void) => {
    const work = { ...begun, epoch: begun.epoch ?? this.#epochOf(life, begun.sessionId) };
    const works = this.#underWay.get(life) ?? new Set();
    this.#underWay.set(life, works.add(work));
    const busy = [...works].filter(({ signal }) => !signal.aborted);
    const sessions = new Set(busy.map(({ sessionId }) => sessionId));
    this.#check(() =>
      must(sessions.size <= this.#atOnce, "slots", () => `${life} runs ${sessions.size} sessions at once`),
    );
    return () => works.delete(work);
  };

  /** Under which a life holds a session; null when it does not. */
  #epochOf(life: string, sessionId: string): number | null {
    const book = this.#ledger().books.get(sessionId);
    return book !== undefined && book.holder === this.#workerOf(life) ? book.epoch : null;
  }

  #check(check: () => void): void {
    try {
      check();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }
}

import type { ModelCall } from "../../../src/models/model.ts";
import type { Ledger } from "../checks/ledger.ts";
import { must } from "../checks/violation.ts";
import type { Mishaps } from "./mishaps.ts";
import type { Caller, ModelWorld } from "./models.ts";
import type { ToolStart, ToolWorld } from "./tools.ts";

/** The world that models and tools act in, which outlives every crash, and what is checked when they start. */
export class Outside implements ModelWorld, ToolWorld {
  readonly mishaps: Mishaps;
  readonly contextWindow: number;
  readonly answers: string[] = [];
  readonly #ledger: () => Ledger;
  readonly #fail: (thrown: unknown) => void;

  constructor(options: {
    mishaps: Mishaps;
    contextWindow: number;
    ledger: () => Ledger;
    fail: (thrown: unknown) => void;
  }) {
    this.mishaps = options.mishaps;
    this.contextWindow = options.contextWindow;
    this.#ledger = options.ledger;
    this.#fail = options.fail;
  }

  readonly started = (start: ToolStart): void => {
    this.#check(() => this.#ledger().book(start.sessionId).calls.started(start));
  };

  /** I14: a run goes on with the instructions that it began with. */
  readonly called = ({ sessionId, epoch }: Caller, { request }: ModelCall): void => {
    this.#check(() => {
      const book = this.#ledger().books.get(sessionId ?? "");
      const edition = /^edition \S+/.exec(request.system)?.[0];
      const agent =
        book?.state.run === null ? undefined : book?.raw.findLast(({ type }) => type === "run.started");
      if (
        book === undefined ||
        book.epoch !== epoch ||
        edition === undefined ||
        agent?.type !== "run.started"
      )
        return;
      const { id, version } = agent.data.agent;
      const expected = this.#ledger().editions.get(`${id}@${version}`);
      must(
        expected === edition,
        "I14",
        () => `${book.id}: a run of ${expected} calls its model with ${edition}`,
      );
    });
  };

  /** True when a text is an answer of a model, or how one begins, and not put together of several. */
  isAnswer(text: string, { whole }: { whole: boolean }): boolean {
    const said = this.answers[Number(/^I answer\[(\d+)\]/.exec(text)?.[1] ?? -1)];
    return said !== undefined && (whole ? said === text : said.startsWith(text));
  }

  forget(_life: string): void {}

  #check(check: () => void): void {
    try {
      check();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }
}

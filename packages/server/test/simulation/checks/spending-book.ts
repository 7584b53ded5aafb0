import type { SessionEvent, Usage } from "@berth/contract";
import { addUsage, noUsage, type SessionState } from "../../../src/session/state.ts";
import type { Reserve } from "../../../src/store/budgets.ts";
import type { LedgerEntry } from "../../../src/store/usage.ts";
import { must } from "./violation.ts";

/** What the calls of one session came to: each summary is counted once, and neither a rewind nor anything else gives tokens back. */
export class SpendingBook {
  /** Summaries that its holder has begun and that were not counted yet. */
  readonly #open = new Set<string>();
  readonly #counted = new Set<string>();
  readonly #of: string;
  /** Tokens of its own summaries that are in the log. */
  summaryTokens = 0;
  /** Of all steps and summaries in the log. */
  #usage: Usage = noUsage;

  constructor(of: string) {
    this.#of = of;
  }

  /** `state`: with this event. */
  note(event: SessionEvent, state: SessionState): void {
    const { seq, type, data } = event;
    if (type === "step.finished") this.#usage = addUsage(this.#usage, data.usage);
    if (type === "context.compacted") this.#usage = addUsage(this.#usage, data.usage ?? noUsage);
    must(
      sameUsage(state.usage, this.#usage),
      "usage",
      () => `${this.#of} used ${tokensOf(this.#usage)} tokens at ${seq}, and says ${tokensOf(state.usage)}`,
    );
  }

  /** Its holder may call models for these. */
  begun(reserves: readonly Reserve[]): void {
    for (const { kind, call } of reserves) if (kind === "compaction") this.#open.add(call);
  }

  /** True when a summary was under way: it went with its holder. */
  claimed(): boolean {
    const lost = this.#open.size > 0;
    this.#open.clear();
    return lost;
  }

  /** A commit. True when it ended a run and a summary of it that nobody needs any more. */
  committed(events: readonly SessionEvent[], settles: readonly LedgerEntry[]): boolean {
    const counted = settles.filter(({ kind }) => kind === "compaction");
    for (const { call } of counted) {
      must(!this.#counted.has(call), "usage", () => `the summary ${call} of ${this.#of} is counted twice`);
      this.#counted.add(call);
      this.#open.delete(call);
    }
    const done = counted.filter(({ ok }) => ok);
    const told = events.filter(
      (event): event is SessionEvent<"context.compacted"> =>
        event.type === "context.compacted" && event.data.method === "summary",
    );
    must(
      done.length === told.length &&
        told.every(({ data }, at) => sameUsage(data.usage ?? noUsage, done[at]?.usage ?? noUsage)),
      "usage",
      () =>
        `${this.#of} has ${told.length} summaries, and ${done.length} are counted at ${events[0]?.seq}, or not as what they used`,
    );
    for (const { usage } of done) this.summaryTokens += tokensOf(usage);
    const ends = events.some(({ type }) => type === "run.finished");
    must(
      !ends || this.#open.size === 0,
      "usage",
      () =>
        `a run of ${this.#of} ended at ${events.at(-1)?.seq}, and its summary ${[...this.#open].join()} is never counted`,
    );
    return ends && counted.some(({ ok }) => !ok);
  }
}

function tokensOf({ inputTokens, outputTokens }: Usage): number {
  return inputTokens + outputTokens;
}

function sameUsage(one: Usage, other: Usage): boolean {
  return one.inputTokens === other.inputTokens && one.outputTokens === other.outputTokens;
}

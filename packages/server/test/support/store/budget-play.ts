import { expect } from "vitest";
import { budget, reserve, spent, told } from "../../../src/store/conformance/budget-scene.conformance.ts";
import {
  type HeldSession,
  message,
  Scene,
  type StoreHarness,
} from "../../../src/store/conformance/scene.conformance.ts";
import type { Tape } from "../session/tape.ts";
import { BudgetModel, type ModelBudget, type ModelCall } from "./budget-model.ts";

const hour = 3_600_000;
const owners = ["usr_1", "usr_2"] as const;
const agents = ["agt_1", "agt_2"] as const;

/** The store says the same as the model. */
function agree(found: unknown, wanted: unknown): void {
  expect(found).toEqual(wanted);
}

/** Plays one organization: calls begin and end, workers die, budgets come, change and go, days pass. */
export class Play {
  readonly here: Scene;
  readonly model = new BudgetModel();
  readonly sessions: HeldSession[] = [];
  readonly runs = new Map<string, string>();
  readonly #tape: Tape;

  constructor(harness: StoreHarness, tape: Tape) {
    this.here = new Scene(harness);
    this.#tape = tape;
  }

  /** Three sessions, each with a run. */
  async open(): Promise<void> {
    while (this.sessions.length < 3) {
      const session = await this.here.held();
      const input = message();
      await session.store.accept({ inputs: [input] });
      this.runs.set(session.sessionId, input.runId ?? "");
      this.sessions.push(session);
    }
  }

  async run(moves: readonly ((play: Play) => Promise<void>)[]): Promise<void> {
    await this.open();
    while (!this.#tape.ended) {
      await moves[this.#tape.next(moves.length)]?.(this);
      await this.check();
    }
    for (const call of this.model.open.slice()) await this.finish(call, this.#tape.next(10));
    await this.check();
    for (const one of this.model.budgets) agree(this.model.reserved(one, this.here.clock.now()), 0);
  }

  /** What the store counts is what the calls sum up to. */
  async check(): Promise<void> {
    const { items } = await this.here.org.budgets.list({ limit: 200 });
    const now = this.here.clock.now();
    const counted = (one: { id: string; spent: number; reserved: number }) =>
      `${one.id} ${one.spent} ${one.reserved}`;
    const expected = this.model.budgets.map((one) =>
      counted({ id: one.id, spent: this.model.spent(one, now), reserved: this.model.reserved(one, now) }),
    );
    agree(items.map(counted).toSorted(), expected.toSorted());
  }

  async addBudget(): Promise<void> {
    const scope = this.#tape.pick(["org", "user", "agent", "session", "run"] as const);
    const { sessionId: session } = this.#session();
    const user = this.#tape.pick(owners);
    const agent = this.#tape.pick(agents);
    const targets = { org: "", user, agent, session, run: this.runs.get(session) ?? "" };
    const unit = this.#tape.pick(["usd", "tokens"] as const);
    const period = this.#tape.pick(["total", "day", "month"] as const);
    const onLimit = this.#tape.pick(["pause", "deny", "warn"] as const);
    const amount = (1 + this.#tape.next(400)) * (unit === "usd" ? 10 : 1);
    const about = { scope, target: targets[scope], unit, period, onLimit, amount };
    this.model.budgets.push({ id: (await budget(this.here, about)).id, ...about });
  }

  async changeBudget(): Promise<void> {
    const one = this.#budget();
    if (one === undefined) return;
    one.amount = 1 + this.#tape.next(2_000);
    await this.here.org.budgets.update({ id: one.id, amount: one.amount, audit: told("budget.updated") });
  }

  async removeBudget(): Promise<void> {
    const one = this.#budget();
    // What is under way is not looked for any more once the last one is gone.
    if (one === undefined || (this.model.budgets.length === 1 && this.model.open.length > 0)) return;
    this.model.budgets.splice(this.model.budgets.indexOf(one), 1);
    await this.here.org.budgets.remove({ id: one.id, audit: told("budget.removed") });
  }

  async begin(): Promise<void> {
    // Without a budget nothing is reserved.
    if (this.model.budgets.length === 0) return;
    const session = this.#session();
    const agent = this.#tape.pick(agents);
    const call = reserve(this.here, 1 + this.#tape.next(120), {
      owner: this.#tape.pick(owners),
      agents: this.#tape.once(2) ? [agent] : [agent, agents[0]],
      runId: this.runs.get(session.sessionId) ?? "",
    });
    const made = { ...call, sessionId: session.sessionId };
    const expected = this.model.blocking(made);
    const outcome = await session.append(1, { reserves: [call] });
    const blocking = !outcome.ok && outcome.reason === "budget" ? outcome.blocking : [];
    agree(blocking.map(({ why, budget: { id } }) => `${id} ${why}`).toSorted(), expected.toSorted());
    agree(outcome.ok, expected.length === 0);
    if (outcome.ok) this.model.begin(made);
  }

  async end(): Promise<void> {
    const call = this.model.open[this.#tape.next(Math.max(1, this.model.open.length))];
    if (call !== undefined) await this.finish(call, this.#tape.next(call.inputTokens + 1));
  }

  async finish(call: ModelCall, tokens: number): Promise<void> {
    const session = this.sessions.find((one) => one.sessionId === call.sessionId);
    const used = Math.min(tokens, call.inputTokens);
    agree(await session?.append(1, { settles: [spent(call, used)] }), { ok: true });
    this.model.end(call, used);
  }

  /** The worker dies, and another takes the session. */
  async crash(): Promise<void> {
    const session = this.#session();
    const { sessionId, workerId } = session;
    this.sessions[this.sessions.indexOf(session)] = await this.here.hold(sessionId, workerId);
    this.model.lose(sessionId);
  }

  async wait(): Promise<void> {
    await this.here.clock.advance((1 + this.#tape.next(20)) * hour);
  }

  #session(): HeldSession {
    return this.sessions[this.#tape.next(this.sessions.length)] as HeldSession;
  }

  #budget(): ModelBudget | undefined {
    return this.model.budgets[this.#tape.next(Math.max(1, this.model.budgets.length))];
  }
}

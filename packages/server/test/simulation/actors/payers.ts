import { createBudget, updateBudget } from "../../../src/operations/budgets.ts";
import type { Random } from "../../chaos/random.ts";
import type { Action } from "../plan/action.ts";
import type { World } from "../world.ts";
import type { Requests } from "./requests.ts";

/** More than a world ever spends, in tokens. */
const plenty = 100_000_000;

/** Those who set budgets, and raise them when runs wait for more: soon, or not until everything comes to rest. */
export class Payers {
  readonly #world: World;
  readonly #requests: Requests;
  readonly #random: Random;

  constructor(world: World, requests: Requests) {
    this.#world = world;
    this.#requests = requests;
    this.#random = world.random.branch("payers");
    world.listeners.push((_, event) => {
      if (event.type !== "budget.reached" || this.#random.chance(0.3)) return;
      for (const { budgetId, spent } of event.data.budgets)
        world.scheduler.after(this.#random.int(5, 4_000), null, `somebody raises ${budgetId}`, () =>
          this.#raise(budgetId, 2 * spent),
        );
    });
  }

  async create({ session, no, amount, onLimit }: Extract<Action, { kind: "budget" }>): Promise<void> {
    const body = {
      scope: "org",
      unit: "tokens",
      period: "total",
      limit: amount,
      onLimit,
      warnAt: 0.5,
    } as const;
    await this.#requests.send({
      label: `budget S${session}.${no}`,
      key: `budget-${session}-${no}`,
      repeats: true,
      run: (context, principal, origin) => createBudget(context, principal, { body, origin }),
    });
  }

  /** Nobody has to wait any more. */
  raiseAll(): void {
    const waited = [...this.#world.ledger.books.values()].flatMap(({ deleted, state }) =>
      deleted ? [] : (state.run?.blockedBy ?? []),
    );
    for (const budgetId of new Set(waited)) this.#raise(budgetId, plenty);
  }

  #raise(budgetId: string, limit: number): void {
    this.#world.faults.count("action raise");
    void this.#requests.send({
      label: `raise ${budgetId}`,
      key: null,
      repeats: true,
      run: (context, principal, origin) =>
        updateBudget(context, principal, { budgetId, body: { limit }, origin }),
    });
  }
}

import type {
  AllowBudgetBody,
  Budget,
  BudgetScope,
  CreateBudgetInput,
  Page,
  UpdateBudgetBody,
} from "@berth/contract";
import type { Http } from "../http.ts";
import { allPages, type CallOptions, type ChangeOptions, type PageQuery } from "../pages.ts";
import { callsOf } from "./calls.ts";

export interface BudgetQuery extends PageQuery {
  readonly scope?: BudgetScope;
  /** Id of the user, agent, session or run. */
  readonly target?: string;
}

/** What may be spent. */
export function createBudgets(http: Http) {
  const calls = callsOf(http);
  const path = (id: string) => `/budgets/${encodeURIComponent(id)}`;
  const list = (query: BudgetQuery = {}): Promise<Page<Budget>> => calls.list("/budgets", { ...query });

  return {
    /** Rejects with code `model_not_priced` when it counts money and a model has no price. */
    create: (budget: CreateBudgetInput, options: ChangeOptions = {}): Promise<Budget> =>
      calls.post("/budgets", budget, options),
    list,
    all: (query: Omit<BudgetQuery, "after"> = {}) =>
      allPages((after) => list({ ...query, ...(after && { after }) })),
    get: (id: string, options: CallOptions = {}): Promise<Budget> => calls.get(path(id), options),
    /** Runs that wait for it look again. */
    update: (id: string, change: UpdateBudgetBody, options: ChangeOptions = {}): Promise<Budget> =>
      calls.patch(path(id), change, options),
    /** Runs that wait for it go on. */
    remove: (id: string, options: ChangeOptions = {}): Promise<void> => calls.delete(path(id), options),
    /** Lets one run spend so much more than the budget has. */
    allow: (id: string, allowance: AllowBudgetBody, options: ChangeOptions = {}): Promise<Budget> =>
      calls.post(`${path(id)}/allowances`, allowance, options),
  };
}

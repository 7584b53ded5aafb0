import type { Connection } from "./connection.ts";

const maxOrgs = 10_000;

/**
 * Which organizations have budgets, kept by the writer thread: in one that has none a model call costs nothing but its ledger row.
 * Whoever changes budgets forgets the organization; a transaction that is undone forgets them all.
 */
export class BudgetOrgs {
  readonly #known = new Map<string, boolean>();

  has(sql: Connection["sql"], orgId: string): boolean {
    const known = this.#known.get(orgId);
    if (known !== undefined) return known;
    const found = sql("SELECT 1 FROM budgets WHERE org_id = ? LIMIT 1").get(orgId) !== undefined;
    if (this.#known.size >= maxOrgs) this.#known.clear();
    this.#known.set(orgId, found);
    return found;
  }

  forget(orgId: string): void {
    this.#known.delete(orgId);
  }

  forgetAll(): void {
    this.#known.clear();
  }
}

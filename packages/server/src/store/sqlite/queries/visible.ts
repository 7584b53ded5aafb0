import type { SQLInputValue } from "node:sqlite";

/** Conditions of a WHERE clause, with the values that belong to them. */
export class Conditions {
  readonly #parts: string[] = [];
  readonly values: SQLInputValue[] = [];

  and(condition: string, ...bound: readonly SQLInputValue[]): this {
    this.#parts.push(condition);
    this.values.push(...bound);
    return this;
  }

  get text(): string {
    return this.#parts.join(" AND ");
  }
}

/**
 * What somebody may see, newest first: two pages are read, of one's own rows and of those that others share, each by its own index
 * and no further than a page goes, and the newest of both are kept.
 */
export function newestVisible<T extends { readonly id: string }>(
  pages: { readonly own: readonly T[]; readonly shared: readonly T[] },
  count: number,
): T[] {
  return [...pages.own, ...pages.shared].toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, count);
}

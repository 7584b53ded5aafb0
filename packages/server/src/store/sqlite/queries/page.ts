import type { Page } from "@berth/contract";

/** A page from rows that were read one past the limit; `cursor` names the last one of the page. */
export function pageOfRows<T>(rows: readonly T[], limit: number, cursor: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursor(last) : null };
}

/** A sum in SQL that stays a number: SQLite's own fails above 2^63, and what is read above 2^53 is no number here. */
export function sumOf(amount: string): string {
  return `CAST(${atMost(`total(${amount})`)} AS INTEGER)`;
}

/** An amount in SQL that goes up to 2^53 - 1, which is nine million dollars, and stays there. */
export function atMost(amount: string): string {
  return `min(${Number.MAX_SAFE_INTEGER}, ${amount})`;
}

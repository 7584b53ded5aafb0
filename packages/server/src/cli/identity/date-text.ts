/** A time of the API for a table; `-` for none. */
export function dateOf(text: string | null): string {
  return text === null ? "-" : text.slice(0, 16).replace("T", " ");
}

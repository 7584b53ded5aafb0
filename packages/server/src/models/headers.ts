export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A header's (first) value, trimmed; empty when there is none. */
export function header(headers: ResponseHeaders, name: string): string {
  const value = headers[name];
  return (typeof value === "string" ? value : (value?.[0] ?? "")).trim();
}

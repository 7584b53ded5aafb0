import { header, type ResponseHeaders } from "./headers.ts";

/**
 * Milliseconds to wait by a reply's `retry-after-ms` (OpenAI, Azure) or `Retry-After` (seconds or a date, RFC 9110 10.2.3).
 * Null when it says nothing that can be read.
 */
export function retryAfterMs(headers: ResponseHeaders, now: number): number | null {
  const ms = Number(header(headers, "retry-after-ms") || Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const value = header(headers, "retry-after");
  if (value === "") return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : null;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

import type { Problem } from "@berth/contract";

/** The server refused a request. `detail` is a sentence that says what to do; `code` is stable. */
export class BerthApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string | null;
  /** The same request may pass later. */
  readonly retryable: boolean;
  /** What is wrong with the body, by JSON pointer. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
  readonly details: Readonly<Record<string, unknown>>;
  /** How long the server asks to wait, milliseconds; null when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(status: number, problem: Partial<Problem>, retryAfterMs: number | null = null) {
    const detail = problem.detail ?? problem.title ?? `The server answered ${status}.`;
    super(detail);
    this.name = "BerthApiError";
    this.status = status;
    this.code = problem.code ?? `http_${status}`;
    this.detail = detail;
    this.requestId = problem.requestId ?? null;
    this.retryable = problem.retryable ?? isPassing(status);
    this.errors = problem.errors ?? [];
    this.details = problem.details ?? {};
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: the server cannot be reached, or the connection broke. */
export class BerthConnectionError extends Error {
  readonly url: string;
  readonly retryable = true;

  constructor(url: string, cause: unknown) {
    super(`No answer from ${url}: ${reasonOf(cause)}`, { cause });
    this.name = "BerthConnectionError";
    this.url = url;
  }
}

/** An input was accepted, and refused when its turn came: it is in the log as `input.refused`. */
export class BerthInputRefusedError extends Error {
  readonly code: string;
  readonly inputId: string;

  constructor(refusal: { code: string; message: string; inputId: string }) {
    super(refusal.message);
    this.name = "BerthInputRefusedError";
    this.code = refusal.code;
    this.inputId = refusal.inputId;
  }
}

/** Statuses of a server that is starting, draining or overloaded. */
export function isPassing(status: number): boolean {
  return status === 429 || status === 502 || status === 503 || status === 504;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause.cause;
  if (!(inner instanceof Error)) return cause.message;
  return inner.message === "" && "code" in inner ? String(inner.code) : inner.message;
}

/** Reads a refused response as an error; what is no problem document becomes `http_<status>`. */
export async function errorOfResponse(response: Response, now: number): Promise<BerthApiError> {
  const text = await response.text().catch(() => "");
  const wait = readRetryAfter(response.headers.get("retry-after"), now);
  return new BerthApiError(response.status, problemOf(text), wait);
}

function problemOf(text: string): Partial<Problem> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** `Retry-After` in milliseconds, from seconds or an HTTP date; null when absent or unreadable. */
export function readRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+(\.\d+)?$/.test(header.trim())) return Math.ceil(Number(header) * 1_000);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

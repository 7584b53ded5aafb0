import type { ResponseHeaders } from "./headers.ts";
import type { ModelError, ModelErrorCode } from "./model.ts";
import { modelError } from "./model-error.ts";
import { retryAfterMs } from "./retry-after.ts";

export interface ProviderFault {
  /** HTTP status, 0 when the fault came inside a stream. */
  readonly status: number;
  readonly message: string;
  /** The provider's own words for the kind of fault: `type`, `code` and `status` of its error object, joined. */
  readonly kind: string;
  /** The parameter that it complains about, where it says so. */
  readonly param: string | null;
}

type Json = Readonly<Record<string, unknown>>;

const tooLong = new RegExp(
  [
    "context.?(length|window|size|limit)",
    "maximum (context|prompt length)",
    "(prompt|input) is too long",
    "too many (input )?tokens",
    "exceeds? the maximum (number of )?(input )?tokens",
    "reduce the length",
    "request_too_large",
  ].join("|"),
  "i",
);
const noCredit =
  /insufficient.?(quota|balance|credit|funds)|billing|credit balance|payment required|exceeded your current quota/i;
const blocked = /content.?(filter|policy|management)|safety|moderation/i;

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Reads the error bodies that providers send: `{error: {...}}`, `{error: "..."}`, `{message}`, `{detail}`, or an array of one. */
export function readFault(payload: unknown, status: number): ProviderFault {
  const body = Array.isArray(payload) ? payload[0] : payload;
  if (!isObject(body)) return { status, message: text(body), kind: "", param: null };
  const error = isObject(body["error"]) ? body["error"] : body;
  const detail =
    typeof error["detail"] === "object" ? JSON.stringify(error["detail"]) : text(error["detail"]);
  const message =
    text(error["message"]) || (typeof body["error"] === "string" ? body["error"] : "") || detail;
  const code = error["code"];
  const fromCode = typeof code === "number" && code >= 400 && code < 600 ? code : 0;
  return {
    status: status || fromCode,
    message,
    kind: [text(error["type"]), text(code), text(error["status"])].filter(Boolean).join(" "),
    param: text(error["param"]) || null,
  };
}

function codeOf({ status, kind, message }: ProviderFault): ModelErrorCode {
  const refused = status === 0 || (status >= 400 && status < 500);
  if (status === 413 || (refused && status !== 429 && tooLong.test(`${kind} ${message}`)))
    return "context_length_exceeded";
  if (refused && /content_filter|ResponsibleAI/i.test(kind)) return "content_filtered";
  if (status === 429 || status === 402 || status === 425) return "rate_limited";
  if (status === 401 || status === 403)
    return blocked.test(`${kind} ${message}`) ? "content_filtered" : "authentication_failed";
  if (status === 404) return "model_not_found";
  if (status === 408 || status === 504 || status === 524) return "timeout";
  if (status === 503 || status === 529) return "overloaded";
  if (status >= 500 || status === 409) return "server_error";
  if (status >= 400) return codeOfKind(kind, "invalid_request");
  return codeOfKind(kind, "server_error");
}

/** For what a status does not tell: an error event in a stream, or a 400 with a telling type. */
function codeOfKind(kind: string, otherwise: ModelErrorCode): ModelErrorCode {
  if (/overloaded|unavailable/i.test(kind)) return "overloaded";
  if (/rate.?limit|quota|resource_exhausted|too_many_requests/i.test(kind)) return "rate_limited";
  if (/authenti|permission|api_key/i.test(kind)) return "authentication_failed";
  if (/not_found/i.test(kind)) return "model_not_found";
  if (/timeout/i.test(kind)) return "timeout";
  if (/invalid_request|invalid_argument/i.test(kind)) return "invalid_request";
  if (/server_error|api_error|internal/i.test(kind)) return "server_error";
  return otherwise;
}

function sentence(code: ModelErrorCode, { status, message }: ProviderFault): string {
  const said = message === "" ? "" : `: ${message}`;
  const answered =
    status === 0 ? "the model provider reported an error" : `the model provider answered ${status}`;
  if (code === "model_not_found")
    return `${answered}${said}; check the model's name and the provider's base URL`;
  if (code === "authentication_failed") return `${answered}${said}; check the provider's API key`;
  return `${answered}${said}`;
}

/** Turns a provider's fault into the port's error. */
export function errorOfFault(
  fault: ProviderFault,
  headers: ResponseHeaders = {},
  now = Date.now(),
): ModelError {
  const code = codeOf(fault);
  const unpaid =
    code === "rate_limited" && (fault.status === 402 || noCredit.test(`${fault.kind} ${fault.message}`));
  return modelError(code, sentence(code, fault), {
    ...(unpaid ? { retryable: false } : {}),
    retryAfterMs: retryAfterMs(headers, now),
  });
}

/** The fault in a body that may be JSON, HTML, text or empty. */
export function faultOfBody(body: string, status: number): ProviderFault {
  const trimmed = body.trim();
  if (trimmed.startsWith("{") || trimmed.startsWith("[")) {
    try {
      return readFault(JSON.parse(trimmed), status);
    } catch {
      return { status, message: trimmed.slice(0, 300), kind: "", param: null };
    }
  }
  if (trimmed.startsWith("<")) {
    const title = /<title[^>]*>([^<]{0,200})/i.exec(trimmed)?.[1]?.trim();
    return { status, message: title ? `a page named "${title}"` : "an HTML page", kind: "", param: null };
  }
  return { status, message: trimmed.slice(0, 300), kind: "", param: null };
}

import type { Problem } from "@berth/contract";
import { BerthError } from "../lib/errors.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { errorStatuses, isErrorCode, statusTitles } from "./error-codes.ts";
import { ClientGone } from "./read-body.ts";

/** Seconds after which a passing trouble is worth another try. */
const retryAfterSeconds = 1;

/** What the log and the metrics show of a request whose client went; nobody gets it. */
const clientGoneStatus = 499;

/** Any thrown thing as an RFC 9457 problem. What no code here stands for is logged and answered as `internal`, without its message. */
export function errorResponse(
  thrown: unknown,
  { requestId, telemetry }: { readonly requestId: string; readonly telemetry: Telemetry },
): Response {
  if (thrown instanceof ClientGone) return new Response(null, { status: clientGoneStatus });
  const known = thrown instanceof BerthError && isErrorCode(thrown.code) && thrown.code !== "internal";
  if (!known) telemetry.unexpectedError({ where: "http", error: thrown, requestId });
  const body = known ? problemOf(thrown, requestId) : internalProblem(requestId);
  return new Response(JSON.stringify(body), { status: body.status, headers: headersOf(body, thrown) });
}

function problemOf(error: BerthError, requestId: string): Problem {
  const { errors, ...details } = error.details;
  const status = isErrorCode(error.code) ? errorStatuses[error.code] : 500;
  return {
    type: `urn:berth:problem:${error.code}`,
    title: statusTitles[status] ?? "Error",
    status,
    detail: error.message,
    code: error.code,
    requestId,
    ...(error.retryable && { retryable: true }),
    ...(Array.isArray(errors) && { errors: errors as NonNullable<Problem["errors"]> }),
    ...(Object.keys(details).length > 0 && { details }),
  };
}

function internalProblem(requestId: string): Problem {
  return {
    type: "urn:berth:problem:internal",
    title: statusTitles[500] ?? "Error",
    status: 500,
    detail:
      "Something went wrong on the server. Try again; if it goes on, look for the request id in the server's log.",
    code: "internal",
    requestId,
  };
}

function headersOf({ status, retryable }: Problem, thrown: unknown): Record<string, string> {
  const { allow, retryAfterMs } = thrown instanceof BerthError ? thrown.details : {};
  const waitSeconds = typeof retryAfterMs === "number" ? Math.ceil(retryAfterMs / 1_000) : retryAfterSeconds;
  return {
    "content-type": "application/problem+json",
    ...(status === 401 && { "www-authenticate": 'Bearer realm="berth"' }),
    ...(typeof allow === "string" && { allow }),
    ...(status === 426 && { upgrade: "HTTP/1.1", connection: "upgrade, close" }),
    ...(retryable && (status === 429 || status === 503) && { "retry-after": String(waitSeconds) }),
  };
}

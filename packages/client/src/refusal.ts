import { BerthApiError } from "./error.ts";

/** What a stream tells by code alone, with the status that a request gets for it. */
const statuses: Readonly<Record<string, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  access_revoked: 403,
  session_not_found: 404,
  sandbox_not_found: 404,
  process_not_found: 404,
  cursor_invalid: 409,
  validation_failed: 422,
  sandbox_unsupported: 422,
  too_many_streams: 429,
  sandbox_lost: 503,
  shutting_down: 503,
};

/** The error that a request would get. A code that is not known here counts as the server's own trouble, which may pass. */
export function refusalOf({
  code,
  message,
}: {
  readonly code: string;
  readonly message: string;
}): BerthApiError {
  return new BerthApiError(statuses[code] ?? 500, { code, detail: message });
}

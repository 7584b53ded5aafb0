import { BerthError } from "../lib/errors.ts";

/** Which web pages of other origins may call the API. */
export interface Cors {
  readonly origins: ReadonlySet<string>;
}

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
const requestHeaders =
  "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, Traceparent, X-API-Key, X-Berth-Org, X-CSRF-Token, X-Request-Id";
const responseHeaders = "ETag, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";

/**
 * Headers that let the page read the answer: for an origin on the list and for no other, `null` least of all. Credentials go with
 * them, so that there is no wildcard anywhere.
 */
export function corsHeaders({ origins }: Cors, origin: string | null): Readonly<Record<string, string>> {
  if (origins.size === 0) return {};
  if (origin === null || !origins.has(origin)) return { vary: "Origin" };
  return {
    vary: "Origin",
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": responseHeaders,
  };
}

/** The answer to a browser that asks whether it may send a request; null for what is no such question. Throws `origin_not_allowed`. */
export function preflight({ origins }: Cors, request: Request): Response | null {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return null;
  const origin = request.headers.get("origin");
  if (origin === null || !origins.has(origin)) {
    throw new BerthError(
      "origin_not_allowed",
      "Pages of this origin may not call the API: its operator can add the origin to the setting corsOrigins.",
    );
  }
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": requestHeaders,
      "access-control-max-age": "600",
    },
  });
}

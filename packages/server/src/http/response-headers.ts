import type { Allowance } from "../limits/rate-limits.ts";
import { corsHeaders } from "./cors.ts";
import type { Edge } from "./edge.ts";
import { isOverTls } from "./peer.ts";
import { rateHeaders } from "./rate-headers.ts";
import { securityHeaders, transportSecurity } from "./security-headers.ts";

/** Adds to a response's headers what every response has. */
export function addHeaders(
  headers: Headers,
  to: {
    readonly request: Request;
    readonly requestId: string;
    readonly allowance: Allowance | null;
    readonly edge: Edge;
  },
): void {
  const { request, requestId, allowance, edge } = to;
  headers.set("x-request-id", requestId);
  for (const [name, value] of securityHeaders) {
    if (!headers.has(name)) headers.set(name, value);
  }
  if (isOverTls(request)) headers.set(...transportSecurity);
  if (edge.cors.origins.size > 0) {
    const cors = corsHeaders(edge.cors, request.headers.get("origin"));
    for (const [name, value] of Object.entries(cors)) headers.append(name, value);
  }
  if (allowance === null) return;
  const [policy, limit] = rateHeaders(allowance);
  headers.set("ratelimit-policy", policy);
  headers.set("ratelimit", limit);
}

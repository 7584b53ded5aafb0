import { BerthError } from "../lib/errors.ts";
import type { Presented } from "./presented.ts";

/** Where pages may be that act for who is logged in, besides the server's own origin. */
export type OriginRules = ReadonlySet<string>;

/**
 * Throws `csrf_failed` unless the page that sent this is the server's own or an allowed one. Browsers say which it was; what says
 * nothing is refused, as it cannot be told from a page that hides it.
 */
export function requireSameOrigin(presented: Presented, allowed: OriginRules): void {
  if (isSameOrigin(presented, allowed) !== true) throw foreignOrigin();
}

/** As `requireSameOrigin`, but for who says nothing: for requests that need no login, which programs send too. */
export function refuseForeignOrigin(presented: Presented, allowed: OriginRules): void {
  if (isSameOrigin(presented, allowed) === false) throw foreignOrigin();
}

/**
 * For credentials that come along unasked, by a proxy or by TLS: a page of another origin may make a browser send them, but not to
 * change anything. Programs say nothing and are let through. Throws `csrf_failed`.
 */
export function refuseForeignChange(presented: Presented, allowed: OriginRules): void {
  if (changesSomething(presented)) refuseForeignOrigin(presented, allowed);
}

export function changesSomething({ method }: Pick<Presented, "method">): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/** Null: the request does not say. */
function isSameOrigin(presented: Presented, allowed: OriginRules): boolean | null {
  const origin = presented.header("origin");
  if (origin !== null) return origin === presented.origin || allowed.has(origin);
  const site = presented.header("sec-fetch-site");
  return site === null ? null : site === "same-origin";
}

function foreignOrigin(): BerthError {
  return new BerthError(
    "csrf_failed",
    "This request comes from a page of another origin: send it from the server's own pages, or with a key instead of a cookie.",
  );
}

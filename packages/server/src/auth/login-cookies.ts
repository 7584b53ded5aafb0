import { cookieOf, isSecure, type Presented } from "./presented.ts";

/**
 * Over TLS the names begin with `__Host-`: then browsers take such a cookie from this host alone, over TLS alone, so that no other
 * host of the domain and nobody on the way can plant one.
 */
const names = {
  login: { secure: "__Host-berth", plain: "berth" },
  csrf: { secure: "__Host-berth-csrf", plain: "berth-csrf" },
  oidc: { secure: "__Host-berth-oidc", plain: "berth-oidc" },
} as const;

export type LoginCookie = keyof typeof names;

/** The cookie of a request; null when it has none. One that came twice is `""`, which is nobody's. */
export function loginCookieOf(presented: Presented, cookie: LoginCookie): string | null {
  return cookieOf(presented, nameOf(presented, cookie));
}

/** The `Set-Cookie` that gives a cookie its value. Only the CSRF token is for scripts to read. */
export function setCookie(
  presented: Presented,
  {
    cookie,
    value,
    maxAgeMs,
  }: { readonly cookie: LoginCookie; readonly value: string; readonly maxAgeMs: number },
): string {
  const parts = [
    `${nameOf(presented, cookie)}=${value}`,
    "Path=/",
    `Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1_000))}`,
    "SameSite=Lax",
    ...(cookie === "csrf" ? [] : ["HttpOnly"]),
    ...(isSecure(presented) ? ["Secure"] : []),
  ];
  return parts.join("; ");
}

export function clearCookie(presented: Presented, cookie: LoginCookie): string {
  return setCookie(presented, { cookie, value: "", maxAgeMs: 0 });
}

function nameOf(presented: Presented, cookie: LoginCookie): string {
  return names[cookie][isSecure(presented) ? "secure" : "plain"];
}

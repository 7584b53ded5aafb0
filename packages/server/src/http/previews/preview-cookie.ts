import type { IncomingMessage } from "node:http";
import { ownOrigin } from "../peer.ts";

/** Whether the browser speaks TLS, with this server or with a trusted proxy. */
export function isSecure(request: IncomingMessage): boolean {
  return ownOrigin(request)?.startsWith("https:") === true;
}

/** Cookies of this server on any host: a sandbox neither gets nor sets one of them. */
function isOwnCookie(name: string): boolean {
  return /^(__(host|secure)-)?berth([_-]|$)/i.test(name.trim());
}

/** With TLS its prefix keeps every other host, and what has no TLS, from setting it. */
function cookieName(secure: boolean): string {
  return secure ? "__Host-berth_preview" : "berth_preview";
}

/** `Set-Cookie` for the preview's own host alone, which no script reads. */
export function previewCookie(
  token: string,
  how: { readonly secure: boolean; readonly maxAgeMs: number },
): string {
  const age = Math.max(1, Math.floor(how.maxAgeMs / 1_000));
  const attributes = `Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${how.secure ? "; Secure" : ""}`;
  return `${cookieName(how.secure)}=${token}; ${attributes}`;
}

/** The token that a browser brings; null when it brings none, or two. */
export function previewTokenOf(cookie: string | undefined, secure: boolean): string | null {
  const name = cookieName(secure);
  const values = cookiesOf(cookie).flatMap(([own, value]) => (own === name ? [value] : []));
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** The `Cookie` header without this server's own; null when nothing is left. */
export function foreignCookies(cookie: string | undefined): string | null {
  const left = cookiesOf(cookie).filter(([name]) => !isOwnCookie(name));
  return left.length === 0 ? null : left.map(([name, value]) => `${name}=${value}`).join("; ");
}

/** A sandbox's `Set-Cookie`, for its own host alone; null when it may not be set. */
export function confined(setCookie: string): string | null {
  const [pair = "", ...attributes] = setCookie.split(";");
  if (isOwnCookie(pair.split("=", 1)[0] ?? "")) return null;
  return [pair, ...attributes.filter((one) => !/^\s*domain\s*(=|$)/i.test(one))].join(";");
}

function cookiesOf(cookie: string | undefined): readonly (readonly [name: string, value: string])[] {
  return (cookie ?? "").split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at === -1 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const];
  });
}

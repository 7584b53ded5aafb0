import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { confined, foreignCookies } from "./preview-cookie.ts";

/** Of one connection, not of what is said over it. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "expect",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** What proves who somebody is to this server, and what proxies in front of it say. */
const ownRequest =
  /^(authorization|cookie|x-api-key|x-user-info.*|x-csrf-token|x-berth-.*|x-forwarded-.*|forwarded|x-real-ip|via|signature.*|dpop)$/;

/** What would hold for more than this host, or longer than the preview. */
const ownResponse: ReadonlySet<string> = new Set([
  "alt-svc",
  // Cookies of the whole registered domain, the server's own among them.
  "clear-site-data",
  "expect-ct",
  "nel",
  "public-key-pins",
  "report-to",
  "reporting-endpoints",
  "set-cookie",
  "strict-transport-security",
]);

/** What the sandbox's server gets of a request's headers. `upgrade` names the protocol that is changed to. */
export function requestHeaders(
  headers: IncomingHttpHeaders,
  about: { readonly port: number; readonly secure: boolean; readonly upgrade?: string },
): OutgoingHttpHeaders {
  const named = namedIn(headers.connection);
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      value !== undefined && !hopByHop.has(name) && !named.has(name) && !ownRequest.test(name),
  );
  const cookie = foreignCookies(headers.cookie);
  return {
    ...Object.fromEntries(kept),
    // Servers for development answer to the name that they have themselves, and to no other.
    host: `localhost:${about.port}`,
    "x-forwarded-host": headers.host,
    "x-forwarded-proto": about.secure ? "https" : "http",
    ...(cookie !== null && { cookie }),
    ...(about.upgrade !== undefined && { connection: "Upgrade", upgrade: about.upgrade }),
  };
}

/** What a browser gets of the sandbox's headers. */
export function responseHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const named = namedIn(headers.connection);
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      value !== undefined && !hopByHop.has(name) && !named.has(name) && !ownResponse.has(name),
  );
  const cookies = (headers["set-cookie"] ?? []).flatMap((one) => confined(one) ?? []);
  return {
    ...Object.fromEntries(kept),
    ...(cookies.length > 0 && { "set-cookie": cookies }),
    ...previewSecurity,
  };
}

/** An address that holds a token, or leads to what needs one, is told to nobody. */
export const previewSecurity = {
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

function namedIn(connection: string | undefined): ReadonlySet<string> {
  return new Set((connection ?? "").split(",").map((name) => name.trim().toLowerCase()));
}

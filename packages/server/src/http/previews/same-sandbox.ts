import type { IncomingMessage } from "node:http";
import type { PreviewGrant } from "../../auth/preview-grants.ts";
import { destinationOf } from "./preview-host.ts";

/**
 * Whether a request may come from where it comes from. Previews are one site to browsers, so a page of one preview could use another
 * one with its user's cookie. Links and addresses that are typed go anywhere; what pages do by themselves only to themselves and to
 * other ports of their own sandbox.
 */
export function comesFromOwn(
  { headers, method }: IncomingMessage,
  own: { readonly host: string; readonly domain: string | null; readonly siblings: readonly PreviewGrant[] },
): boolean {
  const { origin } = headers;
  const upgrade = headers.upgrade !== undefined;
  const site = headers["sec-fetch-site"];
  const followed = headers["sec-fetch-mode"] === "navigate" && (method === "GET" || method === "HEAD");
  if (site === "same-origin" || site === "none") return origin === undefined || isFrom(origin, own);
  if (site !== undefined && followed && !upgrade) return true;
  if (origin !== undefined) return isFrom(origin, own);
  return site === undefined;
}

function isFrom(origin: string, { host, domain, siblings }: Parameters<typeof comesFromOwn>[1]): boolean {
  const from = URL.parse(origin)?.host;
  if (from === undefined) return false;
  if (from === URL.parse(`http://${host}`)?.host || from === URL.parse(`https://${host}`)?.host) return true;
  const destination = destinationOf(from, domain);
  return destination !== "api" && siblings.some(({ label }) => label === destination.label);
}

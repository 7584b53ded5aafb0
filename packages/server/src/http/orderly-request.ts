import type { IncomingMessage } from "node:http";
import { BerthError } from "../lib/errors.ts";

/** More headers or parameters than that nobody needs. */
const maxHeaders = 100;
const maxParameters = 100;

/** Of these a request has one or none: of two, this server and a proxy could believe different ones. */
const once: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "idempotency-key",
  "if-match",
  "last-event-id",
  "origin",
  "transfer-encoding",
  "upgrade",
  "x-api-key",
  "x-berth-org",
  "x-csrf-token",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-user-info",
  "x-user-info-signature",
]);

/** Headers by which some servers let a POST be something else, behind the back of a proxy that looks at methods. */
const overrides = ["x-http-method-override", "x-http-method", "x-method-override"] as const;

/** What old load balancers ask in HTTP/1.0. */
const probes: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/**
 * Refuses a request that could be understood in two ways, or whose head is bigger than any real one: with `malformed_request`,
 * `http_version`, `url_too_long` or `too_many_headers`. What the HTTP parser refuses never comes here.
 */
export function requireOrderly(incoming: IncomingMessage, urlBytes: number): void {
  const { url = "", headers, rawHeaders } = incoming;
  if (url.length > urlBytes) {
    throw new BerthError("url_too_long", `The address may have at most ${urlBytes} characters.`);
  }
  if (tooManyParameters(url)) {
    throw malformed(`The address may have at most ${maxParameters} parameters.`);
  }
  if (rawHeaders.length > 2 * maxHeaders) {
    throw new BerthError("too_many_headers", `A request may have at most ${maxHeaders} headers.`);
  }
  if (incoming.httpVersionMinor !== 1 && !probes.has(url)) {
    throw new BerthError(
      "http_version",
      "Speak HTTP/1.1. A proxy in between may have to be told so; of nginx it is proxy_http_version 1.1.",
    );
  }
  const encoding = headers["transfer-encoding"];
  if (encoding !== undefined && encoding !== "chunked") {
    throw malformed("The only transfer encoding that is taken is chunked.");
  }
  // As many names as headers: none came twice.
  if (Object.keys(headers).length * 2 !== rawHeaders.length) requireOnce(rawHeaders);
  for (const name of overrides) {
    if (headers[name] !== undefined) throw malformed(`${name} is not taken: send the method that you mean.`);
  }
}

function requireOnce(rawHeaders: readonly string[]): void {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    if (!once.has(name)) continue;
    if (seen.has(name)) throw malformed(`The header ${name} came twice.`);
    seen.add(name);
  }
}

function tooManyParameters(url: string): boolean {
  let count = 0;
  for (let at = url.indexOf("?"); at !== -1; at = url.indexOf("&", at + 1)) count += 1;
  return count > maxParameters;
}

function malformed(message: string): BerthError {
  return new BerthError("malformed_request", message);
}

import type { IncomingMessage } from "node:http";
import type { RawHeaders } from "./placeholders.ts";

/** Of one connection, and not of what is sent over it (RFC 9110, 7.6.1). Framing is made anew on the other side. */
const ofConnection = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-authentication-info",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** What must not be said twice, because two readers may believe different ones. */
const once = ["host", "content-length", "transfer-encoding"];

/** Why a request's headers are not taken; null when they are. Node's strict parser has refused what it knows before. */
export function oddRequest(request: IncomingMessage): "bad_request" | "upgrade" | null {
  const { rawHeaders, headers, httpVersion, method = "" } = request;
  const names = namesOf(rawHeaders);
  if (once.some((name) => names.filter((one) => one === name).length > 1)) return "bad_request";
  if (rawHeaders.some((text) => /[\0-\x08\x0a-\x1f\x7f]/.test(text))) return "bad_request";
  const { "content-length": length, "transfer-encoding": coding } = headers;
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return "bad_request";
  if (coding !== undefined && (coding !== "chunked" || length !== undefined || httpVersion !== "1.1"))
    return "bad_request";
  if (nominated(rawHeaders).some((name) => once.includes(name))) return "bad_request";
  if (method === "CONNECT" && (coding !== undefined || (length !== undefined && Number(length) > 0)))
    return "bad_request";
  // It gives back what it was sent, secrets in headers too.
  if (method === "TRACE") return "bad_request";
  return method !== "CONNECT" && headers.upgrade !== undefined ? "upgrade" : null;
}

/** The headers that go on, for the target's own host. */
export function requestHeaders(request: IncomingMessage, host: string): string[] {
  const { method = "", headers } = request;
  const sent = endToEnd(request.rawHeaders, ["host", "expect", "content-length"]);
  const { "content-length": length, "transfer-encoding": coding } = headers;
  const framing =
    coding !== undefined
      ? ["Transfer-Encoding", "chunked"]
      : length !== undefined
        ? ["Content-Length", length]
        : ["POST", "PUT", "PATCH"].includes(method)
          ? ["Content-Length", "0"]
          : [];
  return ["Host", host, ...sent, ...framing, "Connection", "close"];
}

/** The headers that come back. */
export function responseHeaders({ rawHeaders, headers }: IncomingMessage): string[] {
  return endToEnd(rawHeaders, headers["transfer-encoding"] === undefined ? [] : ["content-length"]);
}

function endToEnd(rawHeaders: RawHeaders, without: readonly string[]): string[] {
  const dropped = new Set([...ofConnection, ...nominated(rawHeaders), ...without]);
  return rawHeaders.filter((_, at) => !dropped.has((rawHeaders[at - (at % 2)] ?? "").toLowerCase()));
}

/** Headers that a Connection header names as its own. */
function nominated(rawHeaders: RawHeaders): readonly string[] {
  return rawHeaders.flatMap((text, at) =>
    at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "connection"
      ? text.split(",").map((name) => name.trim().toLowerCase())
      : [],
  );
}

function namesOf(rawHeaders: RawHeaders): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
}

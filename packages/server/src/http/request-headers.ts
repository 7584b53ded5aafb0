import { newId } from "../lib/id.ts";
import { BerthError } from "../lib/errors.ts";

/** The caller's own id of a request when it is a plain one, else a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given !== null && /^[A-Za-z0-9._:-]{1,128}$/.test(given) ? given : newId("request");
}

/** W3C trace context; null when there is none or it is no such thing, as the standard wants. */
export function traceparentOf(headers: Headers): string | null {
  const given = headers.get("traceparent");
  return given !== null && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(given) ? given : null;
}

/** Whether the caller would rather have server-sent events than one answer at the end. */
export function wantsEvents(headers: Headers): boolean {
  const wanted = headers.get("accept")?.split(",") ?? [];
  return wanted.some((type) => type.split(";", 1)[0]?.trim().toLowerCase() === "text/event-stream");
}

/** The offset that `Last-Event-ID` names; null when there is none. Throws `malformed_header`. */
export function offsetOf(headers: Headers): number | null {
  const given = headers.get("last-event-id");
  if (given === null || given === "") return null;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new BerthError("malformed_header", "Last-Event-ID is the id of an output event: an offset.");
}

/** The Idempotency-Key, raw or as the quoted string of the draft standard. Throws `malformed_header`. */
export function idempotencyKeyOf(headers: Headers): string | null {
  const given = headers.get("idempotency-key");
  if (given === null) return null;
  const key = /^"(.*)"$/.exec(given)?.[1] ?? given;
  if (/^[\x21-\x7e]{1,255}$/.test(key) && !key.includes('"')) return key;
  throw new BerthError(
    "malformed_header",
    "An Idempotency-Key has 1 to 255 visible ASCII characters, without quotes inside: send a UUID.",
  );
}

/** The version that `If-Match` names; null when any will do. Throws `malformed_header`. */
export function ifMatchOf(headers: Headers): number | null {
  const given = headers.get("if-match");
  if (given === null || given === "*") return null;
  const version = /^"(\d{1,9})"$/.exec(given)?.[1];
  if (version !== undefined) return Number(version);
  throw new BerthError("malformed_header", 'If-Match is the ETag that a read gave, for example "3".');
}

/** Throws `unsupported_media_type` for a body that is not plain JSON. */
export function requireJson(headers: Headers): void {
  const type = headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new BerthError(
      "unsupported_media_type",
      "Send the body as JSON, with Content-Type: application/json.",
    );
  }
  requirePlain(headers);
}

/** Throws `unsupported_media_type` for a body that is not the bytes themselves. */
export function requireBytes(headers: Headers): void {
  if (headers.get("content-type")?.trim().toLowerCase().startsWith("multipart/")) {
    throw new BerthError(
      "unsupported_media_type",
      "Send the bytes of the file as the body, without a form around them: with curl that is --data-binary @FILE.",
    );
  }
  requirePlain(headers);
}

/** Compressed bodies are not taken: their size cannot be known before they are unpacked. */
function requirePlain(headers: Headers): void {
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding === "identity") return;
  throw new BerthError("unsupported_media_type", "Send the body without Content-Encoding.");
}

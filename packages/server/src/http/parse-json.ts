import { BerthError } from "../lib/errors.ts";

/** Members and elements of all objects and arrays of one JSON text. Each costs more in memory than in the text. */
const maxValues = 100_000;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of a JSON text. Throws `malformed_json`, or `validation_failed` when arrays and objects are nested deeper than the
 * limit (what JSON.parse takes, later code may not), there are more than 100,000 members and elements, a key could reach a prototype
 * or a text is no Unicode.
 */
export function parseJson(bytes: Uint8Array, depthLimit: number): unknown {
  const { depth, values } = sizeOf(bytes);
  if (depth > depthLimit) {
    throw new BerthError(
      "validation_failed",
      `The JSON is nested too deeply: at most ${depthLimit} levels are taken.`,
    );
  }
  if (values > maxValues) {
    throw new BerthError(
      "validation_failed",
      `The JSON holds too much: at most ${maxValues} values are taken.`,
    );
  }
  const text = decode(bytes);
  const value = parse(text);
  // The bytes were UTF-8: half a pair, or a name written in another way, needs an escape.
  if (text.includes("\\u") || text.includes("__proto__")) requireSafe(value);
  return value;
}

/** Throws `validation_failed` when a part of an address has escapes that are no UTF-8, such as those of half a surrogate pair. */
export function requireUnicode(escaped: string): void {
  for (const [bytes] of escaped.matchAll(/(?:%[0-9a-f]{2})+/gi)) {
    try {
      decodeURIComponent(bytes);
    } catch {
      throw new BerthError("validation_failed", "The query is not valid: its escapes must be UTF-8.");
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(
      "The body is no JSON: look for a comma, a quote or a bracket that is missing or too many.",
    );
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed("The body is not valid UTF-8.");
  }
}

/** A value of JSON.parse, in which `__proto__` is a key like others. Half a surrogate pair would be stored as another character. */
function requireSafe(value: unknown): void {
  if (typeof value === "string") requireWellFormed(value);
  else if (Array.isArray(value)) value.forEach(requireSafe);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === "__proto__") {
        throw new BerthError("validation_failed", "A field cannot be named __proto__.");
      }
      requireWellFormed(key);
      requireSafe(inner);
    }
  }
}

function requireWellFormed(text: string): void {
  if (text.isWellFormed()) return;
  throw new BerthError(
    "validation_failed",
    "A text holds half of a surrogate pair, which is no character: send both halves or none.",
  );
}

/** How deep brackets nest outside of strings, and how many values there are at most; the text need not be JSON. */
function sizeOf(bytes: Uint8Array): { readonly depth: number; readonly values: number } {
  let depth = 0;
  let deepest = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c) values += 1;
    else if (byte === 0x7b || byte === 0x5b) {
      values += 1;
      deepest = Math.max(deepest, (depth += 1));
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return { depth: deepest, values };
}

function malformed(message: string): BerthError {
  return new BerthError("malformed_json", message);
}

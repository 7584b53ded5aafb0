import { BerthError } from "../lib/errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value of a JSON text. Throws `malformed_json`, or `validation_failed` when arrays and objects are nested deeper than the
 * limit (what JSON.parse takes, later code may not) or a key could reach a prototype.
 */
export function parseJson(bytes: Uint8Array, depthLimit: number): unknown {
  if (depthOf(bytes) > depthLimit) {
    throw new BerthError(
      "validation_failed",
      `The JSON is nested too deeply: at most ${depthLimit} levels are taken.`,
    );
  }
  const text = decode(bytes);
  try {
    return text.includes("__proto__") ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof BerthError) throw thrown;
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

function refusePrototype(key: string, value: unknown): unknown {
  if (key !== "__proto__") return value;
  throw new BerthError("validation_failed", "A field cannot be named __proto__.");
}

/** How deep brackets nest outside of strings; the text need not be JSON. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}

function malformed(message: string): BerthError {
  return new BerthError("malformed_json", message);
}

import { BerthError } from "../lib/errors.ts";
import { isSecretName, type Redactor } from "./redaction.ts";

export type LogFields = Readonly<Record<string, unknown>>;

/** What one line may hold: depth, values in all, characters of one text, characters of all texts before no more are taken. */
const limits = { depth: 6, values: 500, text: 8_192, texts: 65_536 };

/** Members of a line that its writer owns; a field of that name gets an underscore, so that no caller can forge them. */
const reserved = new Set(["time", "level", "msg"]);

const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Control characters, line and direction marks and invisible ones as `\uXXXX`, which JSON also reads: nothing moves the cursor or forges a line. */
export function escapeControls(text: string): string {
  return text.replace(controlCharacters, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A text as a line may hold it: secrets struck out, cut at 8,192 characters. */
export function cleanText(text: string, redactor: Redactor): string {
  if (text.length <= limits.text) return redactor.text(text);
  // Cut only after the secrets are out, and look no further than a long secret could reach over the cut.
  const head = redactor.text(text.slice(0, limits.text * 2)).slice(0, limits.text);
  return `${head}… (${text.length} characters)`;
}

/** A copy of fields that is safe to write: bounded, plain JSON, without secrets. */
export function cleanFields(fields: LogFields, redactor: Redactor): Record<string, unknown> {
  let values = 0;
  let written = 0;

  function text(value: string): string {
    const cleaned = cleanText(value, redactor);
    written += cleaned.length;
    return cleaned;
  }

  function clean(value: unknown, depth: number): unknown {
    values += 1;
    if (values > limits.values || written > limits.texts) return "[left out]";
    if (typeof value === "string") return text(value);
    if (typeof value === "bigint" || typeof value === "symbol") return String(value);
    if (typeof value === "function") return undefined;
    if (typeof value !== "object" || value === null) return value;
    if (depth >= limits.depth) return "[too deep]";
    if (value instanceof Error) return members(errorFields(value), depth);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (Array.isArray(value)) return value.slice(0, limits.values).map((item) => clean(item, depth + 1));
    if ("toJSON" in value && typeof value.toJSON === "function") return clean(value.toJSON(), depth + 1);
    return members(value, depth);
  }

  function members(object: object, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = Object.create(null);
    for (const [name, value] of Object.entries(object)) {
      if (values > limits.values || written > limits.texts) break;
      if (value === undefined) continue;
      const safeName = depth === 0 && reserved.has(name) ? `_${name}` : text(name);
      copy[safeName] = clean(isSecretName(name) && value !== null ? "[secret]" : value, depth + 1);
    }
    return copy;
  }

  return members(fields, 0);
}

function errorFields(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const own =
    error instanceof BerthError
      ? { code: error.code, retryable: error.retryable, details: error.details }
      : {};
  const code = "code" in error ? { code: error.code } : {};
  return { name, message, ...code, ...own, stack, cause };
}

import { createRequire } from "node:module";
import type { AnySchemaObject, ErrorObject, Options, ValidateFunction } from "ajv";
import { createBoundedRegExps } from "./bounded-regexp.ts";
import { inputSize } from "./input-size.ts";
import { expandedSize } from "./schema-size.ts";
import { uniqueItems } from "./unique-items.ts";

const require = createRequire(import.meta.url);

/** Length of a schema as JSON. */
const maxSchemaCharacters = 64 * 1024;
const maxSchemaDepth = 32;
/** Values of a schema whose references are followed. */
const maxSchemaSize = 20_000;
/** Size of a schema times size of an input: what the server's own thread does for one check, under a second. */
const maxSteps = 1e6;
const keptSchemas = 500;
const shownErrors = 5;
const readErrors = 1_000;

type JsonSchema = Readonly<Record<string, unknown>>;

/** Validates inputs against JSON Schemas of any origin; each schema is compiled once. */
export interface InputCheck {
  /** What is wrong with an input, as sentences for the model, for example `content: must be string`; null when it is valid. */
  check(schema: JsonSchema, input: unknown): string | null;
  /** Why a schema cannot be used; null when it can. */
  schemaError(schema: JsonSchema): string | null;
}

interface Usable {
  readonly validate: ValidateFunction;
  readonly size: number;
  /** Called before each input. */
  readonly begin: () => void;
}

type Compiled = Usable | { readonly error: string };

const options: Options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
};

export function createInputCheck(): InputCheck {
  const bySchema = new WeakMap<JsonSchema, Compiled>();
  const byText = new Map<string, Compiled>();

  function compiled(schema: JsonSchema): Compiled {
    const known = bySchema.get(schema);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema);
    // The same schema comes as a new object each time that an agent is read from the store.
    const entry = byText.get(text) ?? compile(schema, text);
    byText.delete(text);
    byText.set(text, entry);
    const oldest = byText.keys().next();
    if (byText.size > keptSchemas && oldest.done !== true) byText.delete(oldest.value);
    bySchema.set(schema, entry);
    return entry;
  }

  return {
    check(schema, input) {
      const entry = compiled(schema);
      if ("error" in entry) return entry.error;
      return tooMuch(entry, input) ?? problems(entry, input);
    },
    schemaError(schema) {
      const entry = compiled(schema);
      return "error" in entry ? entry.error : null;
    },
  };
}

/** A problem for the model when a check could hold up the server; null when it is short. */
function tooMuch({ size }: Usable, input: unknown): string | null {
  try {
    if (inputSize(input) * size <= maxSteps) return null;
    return "the input: is too large for a schema of this size; make it smaller";
  } catch (thrown) {
    if (thrown instanceof RangeError) return thrown.message;
    throw thrown;
  }
}

function problems({ validate, begin }: Usable, input: unknown): string | null {
  begin();
  if (validate(input)) return null;
  const said = explain(validate.errors ?? []);
  validate.errors = null;
  return said;
}

function compile(schema: JsonSchema, text: string): Compiled {
  if (text.length > maxSchemaCharacters) {
    return { error: `The schema has more than ${maxSchemaCharacters} characters; make it smaller.` };
  }
  if (depthOf(schema) > maxSchemaDepth) {
    return { error: `The schema is nested more than ${maxSchemaDepth} levels deep; make it flatter.` };
  }
  if (schema["type"] !== "object") return { error: 'The schema must have "type": "object" at its top.' };
  const { $schema, $id: _, ...rest } = schema;
  const newer = typeof $schema === "string" && /2019-09|2020-12/.test($schema);
  const patterns = createBoundedRegExps();
  const bounded = { ...options, code: { regExp: patterns.create } };
  try {
    const size = expandedSize(rest);
    if (size > maxSchemaSize) {
      return {
        error: `The schema has more than ${maxSchemaSize} values with its references; make it smaller.`,
      };
    }
    const ajv = newer ? newAjv2020(bounded) : newAjv(bounded);
    const validate = ajv
      .removeKeyword("uniqueItems")
      .addKeyword(uniqueItems)
      .compile(rest as AnySchemaObject);
    if ("$async" in validate) return { error: "The schema cannot be asynchronous; remove $async." };
    return { validate, size, begin: patterns.refill };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { error: `The schema cannot be used: ${why.slice(0, 300)}` };
  }
}

// Loaded by the first schema: with the built-in tools' schemas it was 30 of the 170 MB that a server at rest took.
function newAjv(bounded: Options) {
  const { Ajv } = require("ajv") as typeof import("ajv");
  return new Ajv(bounded);
}

function newAjv2020(bounded: Options) {
  const { Ajv2020 } = require("ajv/dist/2020.js") as typeof import("ajv/dist/2020.js");
  return new Ajv2020(bounded);
}

function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== "object" || value === null || depth > maxSchemaDepth) return depth;
  return Math.max(depth, ...Object.values(value).map((member) => depthOf(member, depth + 1)));
}

function explain(errors: readonly ErrorObject[]): string {
  const sentences = [...new Set(errors.slice(0, readErrors).map(sentenceOf))];
  const shown = sentences.slice(0, shownErrors).join("; ");
  const more = sentences.length - shownErrors;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

function sentenceOf({ instancePath, keyword, params, message }: ErrorObject): string {
  const path = readablePath(instancePath);
  const at = (name: unknown) => (path === "" ? String(name) : `${path}.${String(name)}`);
  if (keyword === "required") return `${at(params["missingProperty"])}: is missing`;
  if (keyword === "additionalProperties") return `${at(params["additionalProperty"])}: is not known`;
  const values: unknown = params["allowedValues"];
  const said = Array.isArray(values)
    ? `must be one of ${values.map(String).join(", ")}`
    : (message ?? "is not valid");
  return `${path === "" ? "the input" : path}: ${said}`.slice(0, 300);
}

/** `/todos/0/status` as `todos[0].status`. */
function readablePath(pointer: string): string {
  const names = pointer
    .split("/")
    .slice(1)
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce((path, name) => {
    if (/^\d+$/.test(name)) return `${path}[${name}]`;
    return path === "" ? name : `${path}.${name}`;
  }, "");
}

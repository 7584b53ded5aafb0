import { Ajv } from "ajv";
import { BerthError } from "../lib/errors.ts";

/** Schemas come from tools and tenants: what a validator does not know in them is no error, and nothing is logged. */
function createAjv(): Ajv {
  return new Ajv({ strict: false, allErrors: false, validateFormats: false, logger: false });
}

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** What keeps a value from a schema; empty when nothing does. Throws `invalid_request` for a schema that is none. */
export function schemaErrors(
  schema: Readonly<Record<string, unknown>>,
  value: unknown,
): readonly FieldError[] {
  const ajv = createAjv();
  const validate = compile(ajv, schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => ({
    pointer: instancePath,
    detail: message ?? "does not fit the schema",
  }));
}

/** Throws `invalid_request` unless it is a JSON Schema of an object. */
export function checkSchema(schema: Readonly<Record<string, unknown>>, pointer: string): void {
  if (schema["type"] !== undefined && schema["type"] !== "object") {
    throw invalid(pointer, "must be a JSON Schema of type object");
  }
  compile(createAjv(), schema, pointer);
}

function compile(ajv: Ajv, schema: Readonly<Record<string, unknown>>, pointer = "") {
  try {
    return ajv.compile(withoutDialect(schema));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.slice(0, 300) : "it cannot be read";
    throw invalid(pointer, `is not a JSON Schema that can be used: ${why}`);
  }
}

/** Newer dialects are read with the rules of draft 07, which know the keywords that tools use. */
function withoutDialect(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { $schema: _, ...rest } = schema;
  return rest;
}

/** A request whose body has a fault that its schema cannot see. */
export function invalid(pointer: string, detail: string): BerthError {
  return new BerthError("invalid_request", `The request is not valid: ${pointer} ${detail}.`, {
    details: { errors: [{ pointer, detail }] },
  });
}

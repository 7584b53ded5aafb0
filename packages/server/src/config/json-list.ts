import { z } from "zod";
import type { ReadContext, Setting, SettingText } from "./setting.ts";

export interface JsonListSpec<S extends z.ZodType, T> extends SettingText {
  /** What its entries are, for people: `JSON list of issuers`. */
  readonly type: string;
  readonly schema: S;
  /** An entry as the program uses it: secrets become secrets here. Throws an Error whose message goes on after the setting's name. */
  readonly resolve: (written: z.output<S>, context: ReadContext) => T;
}

/** A list as JSON: an array in the file, its text in the environment. Its members that are secrets are never shown. */
export function jsonList<S extends z.ZodType, T>(spec: JsonListSpec<S, T>): Setting<readonly T[]> {
  const { schema, resolve, ...text } = spec;
  return {
    ...text,
    default: Object.freeze([]),
    secret: false,
    hasFlag: false,
    read(raw, context) {
      const parsed = z.array(schema).safeParse(typeof raw === "string" ? parse(raw) : raw);
      if (!parsed.success) throw new Error(sentence(parsed.error, spec.type));
      return Object.freeze(parsed.data.map((written) => resolve(written, context)));
    },
    show: (value) => (value.length === 0 ? "" : JSON.stringify(value)),
  };
}

/** JSON.parse's own message quotes the text, which may hold a secret. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("must be JSON");
  }
}

function sentence(error: z.ZodError, type: string): string {
  const issues = error.issues.map(({ path, message }) =>
    path.length ? `${path.join(".")}: ${message}` : message,
  );
  return `is not a ${type}: ${issues.join("; ")}`;
}

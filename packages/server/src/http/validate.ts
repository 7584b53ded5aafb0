import type { z } from "zod";
import { BerthError } from "../lib/errors.ts";
import { detailOf, ofKind, oneOf } from "./validation-detail.ts";

type Issue = z.core.$ZodIssue;

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** Faults that one reply names, at most. */
const maxErrors = 20;

/** The valid value. Throws `validation_failed` with what is wrong and where; it never repeats what was sent. */
export function validate<T extends z.ZodType>(
  schema: T,
  value: unknown,
  where: "body" | "query",
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => fieldErrors(issue, [], value)).slice(0, maxErrors);
  const [first] = errors;
  const at = first === undefined ? "" : `: ${sentenceOf(first)}`;
  throw new BerthError("validation_failed", `The ${where} is not valid${at}.`, { details: { errors } });
}

/** A rule that concerns several fields names them by itself; every other detail follows the name of its field. */
function sentenceOf({ pointer, detail }: FieldError): string {
  if (/^(must|may|needs|is|cannot) /.test(detail)) return `${pointer === "" ? "it" : pointer} ${detail}`;
  return pointer === "" ? detail : `${pointer}: ${detail}`;
}

function fieldErrors(issue: Issue, above: readonly PropertyKey[], root: unknown): readonly FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), detail: "is not a known field" }));
  }
  const sent = valueAt(root, path);
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const types = issue.errors.map(typesOf);
    if (types.every((values) => values !== null)) {
      const type = [...path, "type"];
      return [{ pointer: pointerOf(type), detail: oneOf(types.flat(), valueAt(root, type)) }];
    }
    const kinds = issue.errors.map(kindOf);
    if (kinds.every((kind) => kind !== null)) {
      return [{ pointer: pointerOf(path), detail: ofKind(kinds, sent) }];
    }
    return nearest(issue.errors).flatMap((inner) => fieldErrors(inner, path, root));
  }
  return [{ pointer: pointerOf(path), detail: detailOf(issue, sent) }];
}

/** The branch of a union that was meant: the one whose `type` fits, of several the one with the fewest faults. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const meant = branches.filter((issues) => typesOf(issues) === null && kindOf(issues) === null);
  const pool = meant.length > 0 ? meant : branches;
  return pool.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

/** The values of `type` that a branch takes, when it was refused for its type. */
function typesOf(issues: readonly Issue[]): readonly unknown[] | null {
  for (const issue of issues) {
    if (issue.code === "invalid_value" && issue.path.length === 1 && issue.path[0] === "type")
      return issue.values;
  }
  return null;
}

/** The kind of value that a branch takes, when it was refused for its kind. */
function kindOf(issues: readonly Issue[]): string | null {
  for (const issue of issues) {
    if (issue.code === "invalid_type" && issue.path.length === 0) return issue.expected;
  }
  return null;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return value;
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

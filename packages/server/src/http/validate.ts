import type { z } from "zod";
import { BerthError } from "../lib/errors.ts";

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
  const errors = parsed.error.issues.flatMap((issue) => fieldErrors(issue, [])).slice(0, maxErrors);
  const [first] = errors;
  const at = first === undefined ? "" : `: ${first.pointer === "" ? "it" : first.pointer} ${first.detail}`;
  throw new BerthError("validation_failed", `The ${where} is not valid${at}.`, { details: { errors } });
}

function fieldErrors(issue: Issue, above: readonly PropertyKey[]): readonly FieldError[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key]), detail: "is not a known field" }));
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    return nearest(issue.errors).flatMap((inner) => fieldErrors(inner, path));
  }
  return [{ pointer: pointerOf(path), detail: issue.message }];
}

/** The branch of a union that was meant: the one whose `type` fits, of several the one with the fewest faults. */
function nearest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  const meant = branches.filter(
    (issues) => !issues.some(({ path }) => path.at(-1) === "type" || path.length === 0),
  );
  const pool = meant.length > 0 ? meant : branches;
  return pool.toSorted((a, b) => a.length - b.length)[0] ?? [];
}

/** RFC 6901. */
function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).slice(0, 100).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

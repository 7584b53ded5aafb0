import type { z } from "zod";

/** What is wrong with one value, to follow the name of its field. A text that the schema has of its own stays as it is. */
export function detailOf(issue: z.core.$ZodIssue, sent: unknown): string {
  if (!/^(Invalid|Too (small|big))\b/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return ofKind([issue.expected], sent);
    case "invalid_value":
      return oneOf(issue.values, sent);
    case "invalid_union":
      return "options" in issue && Array.isArray(issue.options)
        ? oneOf(issue.options, sent)
        : "must be of another kind";
    case "too_small":
      return bound(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum);
    case "too_big":
      return bound(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return issue.format === "regex" ? `must match ${issue.pattern}` : `must be a valid ${issue.format}`;
    default:
      return "must be another value";
  }
}

/** For a value that has to be one of some. */
export function oneOf(values: readonly unknown[], sent: unknown): string {
  const names = [...new Set(values)].map((value) => JSON.stringify(value));
  const wanted = names.length === 1 ? `${names[0]}` : `one of ${names.join(", ")}`;
  return sent === undefined ? `is missing: it must be ${wanted}` : `must be ${wanted}`;
}

const kindNames: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/** For a value of the wrong kind; the kinds are those of zod. */
export function ofKind(kinds: readonly string[], sent: unknown): string {
  if (sent === undefined) return "is missing";
  return `must be ${[...new Set(kinds.map((kind) => kindNames[kind] ?? kind))].join(" or ")}`;
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  if (origin === "string")
    return `must have ${relation} ${limit} ${limit === 1 ? "character" : "characters"}`;
  if (origin === "array" || origin === "set")
    return `must have ${relation} ${limit} ${limit === 1 ? "item" : "items"}`;
  return `must be ${relation} ${limit}`;
}

import { z } from "zod";
import type { ModelErrorCode } from "../model.ts";

const errorCode = z.enum([
  "rate_limited",
  "overloaded",
  "server_error",
  "connection_failed",
  "timeout",
  "cut_off",
  "bad_response",
  "context_length_exceeded",
  "invalid_request",
  "authentication_failed",
  "content_filtered",
]) satisfies z.ZodType<ModelErrorCode>;

const pace = {
  chunk: z
    .union([z.int().min(1), z.literal("word")])
    .optional()
    .describe("characters in a piece, or word by word; default 24"),
  delayMs: z.int().min(0).optional().describe("before each piece"),
};

/** Each step has one of these keys, which says what it is. */
const steps = {
  text: z.strictObject({ text: z.string(), ...pace }),
  thinking: z.strictObject({ thinking: z.string(), ...pace }),
  tool: z.strictObject({
    tool: z.string(),
    input: z.unknown().optional(),
    raw: z.string().optional().describe("the input as written, JSON or not"),
    ...pace,
  }),
  waitMs: z.strictObject({ waitMs: z.int().min(0) }),
  error: z.strictObject({
    error: errorCode,
    message: z.string().optional(),
    retryAfterMs: z.int().min(0).optional(),
  }),
  finish: z.strictObject({ finish: z.enum(["stop", "tool_calls", "length", "content_filter"]) }),
  usage: z.strictObject({ usage: z.strictObject({ input: z.int().min(0), output: z.int().min(0) }) }),
};

/** One thing that a scripted model does in its turn. */
export type ScriptStep = z.infer<(typeof steps)[keyof typeof steps]>;
/** One answer of the model. */
export type ScriptTurn = readonly ScriptStep[];
/** An answer for each time that the model is called. */
export type Script = readonly ScriptTurn[];

const opening = '{"script"';

/**
 * The script in a message: JSON `{"script": [turn, ...]}` from where it begins to the end of the text, a turn being a step
 * or an array of steps. Null when there is none; a string that says what is wrong with one.
 */
export function readScript(text: string): Script | string | null {
  const start = text.indexOf(opening);
  if (start === -1) return null;
  let value: unknown;
  try {
    value = JSON.parse(text.slice(start));
  } catch {
    return "the script is no JSON";
  }
  const turns = typeof value === "object" && value !== null && "script" in value ? value.script : null;
  if (!Array.isArray(turns)) return "the script is no array";
  const read: ScriptTurn[] = [];
  for (const [index, turn] of turns.entries()) {
    const made = (Array.isArray(turn) ? turn : [turn]).map(readStep);
    const wrong = made.find((one) => typeof one === "string");
    if (wrong !== undefined) return `turn ${index} of the script: ${wrong}`;
    read.push(made.filter((one) => typeof one !== "string"));
  }
  return read;
}

function readStep(value: unknown): ScriptStep | string {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const kind = keys.find((key) => key in steps) as keyof typeof steps | undefined;
  if (kind === undefined)
    return `a step has one of ${Object.keys(steps).join(", ")}; this one has ${keys.join(", ")}`;
  const read = steps[kind].safeParse(value);
  return read.success ? read.data : z.prettifyError(read.error);
}

export function writeScript(turns: Script): string {
  return JSON.stringify({ script: turns });
}

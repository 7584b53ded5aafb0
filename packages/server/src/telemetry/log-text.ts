import { escapeControls } from "./log-fields.ts";

/** One JSON line as one line for people: `12:30:01.250 INFO  run finished  sessionId=ses_… reason=end_turn`. Ends in a newline. */
export function textOfLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as { time: string; level: string; msg: string };
  const head = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${escapeControls(msg)}`;
  const tail = Object.entries(fields).map(([name, value]) => `${escapeControls(name)}=${textOf(value)}`);
  return `${[head, tail.join(" ")].filter(Boolean).join("  ")}\n`;
}

function textOf(value: unknown): string {
  if (isError(value)) return textOfError(value);
  if (typeof value === "string" && /^[\w.:/@…+-]+$/.test(value)) return value;
  return escapeControls(JSON.stringify(value));
}

interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

function isError(value: unknown): value is LoggedError {
  return typeof value === "object" && value !== null && "stack" in value && typeof value.stack === "string";
}

/** The message and the three innermost places; the whole stack is in the JSON format. */
function textOfError({ name, message, stack }: LoggedError): string {
  const places = stack.split("\n").flatMap((frame) => /^\s+at (.*)$/.exec(frame)?.[1] ?? []);
  return escapeControls(JSON.stringify([`${name}: ${message}`, ...places.slice(0, 3)].join(" < ")));
}

import { isatty } from "node:tty";
import { pino } from "pino";
import { cleanFields, cleanText, escapeControls, type LogFields } from "./log-fields.ts";
import { textOfLine } from "./log-text.ts";
import { createRedactor, type Redactor } from "./redaction.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * Where lines go. Fields come first, as `{sessionId, runId, ...}`; an error goes in a field, whole. Secrets, control characters
 * and excess are taken out on the way.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger whose lines all carry these fields too. */
  child(fields: LogFields): Logger;
}

/** Receives whole lines, newline included. */
export interface LogDestination {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

export interface LoggerOptions {
  readonly level?: LogLevel | "silent";
  /** `auto` is text on a terminal, else JSON. */
  readonly format?: "auto" | "json" | "text";
  /** Default: standard error, written in the background and flushed when the process exits. */
  readonly destination?: LogDestination;
  readonly redactor?: Redactor;
}

/** The logger of a process: one line for each call, as JSON or as text for people. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", format = "auto", redactor = createRedactor() } = options;
  const destination = options.destination ?? pino.destination({ dest: 2, sync: false });
  const isTerminal = options.destination ? options.destination.isTTY === true : isatty(2);
  const asText = format === "text" || (format === "auto" && isTerminal);
  const lines = {
    write(line: string) {
      destination.write(asText ? textOfLine(line) : `${escapeControls(line.trimEnd())}\n`);
    },
  };
  const settings = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return wrap(pino(settings, lines), redactor);
}

/** `carried` are the cleaned fields of every line. They are merged here, as pino would write a name that comes again twice. */
function wrap(target: pino.Logger, redactor: Redactor, carried: LogFields = {}): Logger {
  const at = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!target.isLevelEnabled(level)) return;
    target[level]({ ...carried, ...cleanFields(fields, redactor) }, cleanText(message, redactor));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(target, redactor, { ...carried, ...cleanFields(fields, redactor) }),
  };
}

const nothing = () => {};

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
};

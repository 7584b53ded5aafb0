import { BerthApiError, BerthConnectionError } from "@berth/client";
import { CommanderError } from "commander";
import { BerthError } from "../lib/errors.ts";
import { safeText } from "./terminal/safe-text.ts";

/** What the process ends with. */
export const exit = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** Ends a command with a sentence and an exit code. */
export class CliError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exit.failed) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
  }
}

export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  /** Empty when it has been said already. */
  readonly message: string;
  readonly requestId?: string;
}

/** What to say about anything that a command threw. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommanderError) {
    return { exitCode: thrown.exitCode === 0 ? exit.ok : exit.usage, code: "usage", message: "" };
  }
  if (thrown instanceof CliError)
    return { exitCode: thrown.exitCode, code: "failed", message: thrown.message };
  if (thrown instanceof BerthConnectionError) {
    const message = `${thrown.message}. Is the server running? Start it with: npm start`;
    return { exitCode: exit.unreachable, code: "unreachable", message };
  }
  if (thrown instanceof BerthApiError) return refused(thrown);
  if (thrown instanceof BerthError) {
    const exitCode = thrown.code === "invalid_config" ? exit.usage : exit.failed;
    return { exitCode, code: thrown.code, message: thrown.message };
  }
  return {
    exitCode: exit.failed,
    code: "internal",
    message: thrown instanceof Error ? thrown.message : String(thrown),
  };
}

function refused(error: BerthApiError): Failure {
  const keyHint =
    error.status === 401
      ? " Set BERTH_API_KEY, or name the server's data folder with --data so that its admin.key is found."
      : "";
  const fields = error.errors.map(({ pointer, detail }) => `\n  ${pointer} ${detail}`).join("");
  return {
    exitCode: exit.failed,
    code: error.code,
    message: safeText(`${error.detail}${keyHint}${fields}`),
    ...(error.requestId !== null && { requestId: error.requestId }),
  };
}

import { BerthApiError, BerthConnectionError } from "@berth/client";
import { CommanderError } from "commander";
import { BerthError } from "../lib/errors.ts";
import { advised } from "./advice.ts";
import { tlsAdvice } from "./tls-advice.ts";

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

/** The server does not take the key, or wants one; `hint` says what to do about it. */
export class RefusedKeyError extends Error {
  readonly refusal: BerthApiError;
  readonly hint: string;

  constructor(refusal: BerthApiError, hint: string) {
    super(refusal.message);
    this.name = "RefusedKeyError";
    this.refusal = refusal;
    this.hint = hint;
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
    const advice = tlsAdvice(thrown) ?? "Is the server running? Start it with: npm start";
    // Node adds an advice for whoever starts Node.
    const message = `${thrown.message.replace(/; if the root CA is installed locally.*/s, "")}. ${advice}`;
    return { exitCode: exit.unreachable, code: "unreachable", message };
  }
  if (thrown instanceof RefusedKeyError) return refused(thrown.refusal, thrown.hint);
  if (thrown instanceof BerthApiError)
    return refused(thrown, thrown.code === "unauthenticated" ? "Set BERTH_API_KEY." : null);
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

function refused({ detail, errors, code, requestId }: BerthApiError, hint: string | null): Failure {
  const sentence = advised(detail);
  // A single one is in the sentence already.
  const fields = errors
    .filter((field) => !detail.includes(field.detail))
    .map((field) => `\n  ${advised(`${field.pointer} ${field.detail}`)}`);
  const advice = hint === null ? "" : `${/[.!?]$/.test(sentence) ? "" : "."} ${hint}`;
  return {
    exitCode: exit.failed,
    code,
    message: `${sentence}${advice}${fields.join("")}`,
    ...(requestId !== null && { requestId }),
  };
}

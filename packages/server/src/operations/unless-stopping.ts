import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";

/**
 * Does what may take longer than a server that stops waits: the signal that it is given aborts then, too, and what it fails with for that
 * reason is `shutting_down`.
 */
export async function unlessStopping<T>(
  { stopping }: Pick<OperationsContext, "stopping">,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (stopping.aborted) throw shuttingDown();
  try {
    return await work(signal === undefined ? stopping : AbortSignal.any([signal, stopping]));
  } catch (error) {
    const isTold = error instanceof BerthError && error.code === "shutting_down";
    throw stopping.aborted && !isTold ? shuttingDown() : error;
  }
}

export function shuttingDown(): BerthError {
  return new BerthError("shutting_down", "The server is stopping: connect again.", { retryable: true });
}

/** The same for a command that was running: connecting again does not bring it back. */
export function commandEnded(): BerthError {
  const message = "The server is stopping and has ended the command: run it again when the server is back.";
  return new BerthError("shutting_down", message, { retryable: true });
}

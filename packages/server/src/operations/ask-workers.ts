import type { z } from "zod";
import { type WorkerCommand, workersGroup, workerTopic } from "../coordination/session-frames.ts";
import { BerthError } from "../lib/errors.ts";
import type { OperationsContext } from "./context.ts";

/** The answers of all workers that are around, in the order of their ids. Who does not answer in time is left out. */
export async function askWorkers<T extends z.ZodType>(
  context: OperationsContext,
  command: WorkerCommand,
  answer: T,
): Promise<readonly z.output<T>[]> {
  const members = await context.presence.list(workersGroup);
  const ids = members.map(({ id }) => id).toSorted();
  const answers = await Promise.all(ids.map((id) => askWorker(context, { id, command, answer })));
  return answers.filter((one) => one !== null);
}

/** Null when the worker does not answer in time. */
export async function askWorker<T extends z.ZodType>(
  context: OperationsContext,
  { id, command, answer }: { id: string; command: WorkerCommand; answer: T },
): Promise<z.output<T> | null> {
  const said = await context.bus.ask(workerTopic(id), command, context.settings.workerAnswerMs);
  return said === null ? null : answer.parse(said);
}

/** For what makes no sense without one. */
export function noWorker(): BerthError {
  return new BerthError(
    "no_worker",
    "No worker answers: sessions do not run now. Look at the server's health.",
    {
      retryable: true,
    },
  );
}

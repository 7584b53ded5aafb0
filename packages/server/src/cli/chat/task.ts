import type { Recovery, RunResult, ToolCall, Usage } from "@berth/client";
import { CliError } from "../exit.ts";
import { createInterrupter } from "./interrupter.ts";
import { runTurn, type TurnContext } from "./turn.ts";

/** What one task came to, as --json prints it. */
export interface TaskResult {
  readonly sessionId: string;
  readonly runId: string;
  readonly status: RunResult["run"]["status"];
  readonly reason: RunResult["run"]["reason"];
  readonly text: string;
  readonly usage: Usage;
  readonly cost: number | null;
  readonly steps: number;
  readonly durationMs: number;
  readonly error: RunResult["run"]["error"];
  readonly recovery: readonly Recovery[];
  readonly toolCalls: readonly ToolCall[];
}

export interface Task extends TurnContext {
  readonly text: string;
  /** Longest time that the task may take, milliseconds. */
  readonly timeoutMs?: number;
}

/** How long an interrupt may take to be accepted when the program is about to end. */
const interruptMs = 3_000;

/** One message and its run. Ctrl-C and the time limit end the run, not only the watching. Null when the message was refused. */
export async function runTask(task: Task): Promise<TaskResult | null> {
  const { session, lines, printer, text, timeoutMs } = task;
  const pressed = new AbortController();
  lines?.onInterrupt(() => pressed.abort(new Error("interrupted")));
  const limits = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
  const signal = AbortSignal.any([task.signal, pressed.signal, ...limits]);
  const interrupter = createInterrupter(session, () => {
    printer.err(`It could not be interrupted and goes on: ./berth sessions tail ${session.id}\n`);
  });
  try {
    const result = await runTurn({ ...task, signal, interrupter }, { text });
    return result === null ? null : asTaskResult(result);
  } catch (error) {
    if (!signal.aborted) throw error;
    printer.err("Interrupting the run.\n");
    await interrupter.press(AbortSignal.timeout(interruptMs));
    if (limits[0]?.aborted === true)
      throw new CliError(`The task took longer than its ${timeoutMs} ms and was interrupted.`);
    throw new CliError("Interrupted.", 130);
  }
}

function asTaskResult({ sessionId, text, run, toolCalls }: RunResult): TaskResult {
  const { id: runId, ...rest } = run;
  return { sessionId, runId, text, ...rest, toolCalls };
}

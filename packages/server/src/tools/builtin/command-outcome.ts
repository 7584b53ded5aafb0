import type { ExecResult } from "../../sandbox/sandbox.ts";
import type { ToolContext, ToolOutcome } from "../tool.ts";
import { capOutput } from "./capped-output.ts";
import { failed } from "./define-tool.ts";
import { newSandboxText } from "./sandbox-problem.ts";

/** Characters of one call's output that followers see live. */
const maxLiveCharacters = 256 * 1024;

/** Shows output live as it comes, up to a limit. */
export function liveOutput(context: ToolContext): (chunk: string) => void {
  let left = maxLiveCharacters;
  return (chunk) => {
    if (left <= 0) return;
    context.progress(chunk.slice(0, left));
    left -= chunk.length;
    if (left <= 0) context.progress("\n[further output is not shown live]\n");
  };
}

export interface CommandOutcomeOptions {
  /** How a sentence about it begins: `The command`. */
  readonly what: string;
  readonly timeoutMs: number;
  /** What to do when it took too long. */
  readonly moreTime: string;
  readonly context: ToolContext;
}

/** What the model is told of a command that has ended, with its output. */
export async function commandOutcome(
  result: ExecResult,
  { what, timeoutMs, moreTime, context }: CommandOutcomeOptions,
): Promise<ToolOutcome> {
  const capped = await capOutput(result.output, context);
  if (result.reason === "exit" && result.code === 0) {
    return { ok: true, ...capped, content: capped.content === "" ? "(no output)" : capped.content };
  }
  const fail = (message: string, suggestion?: string, retryable?: true) =>
    failed(result.reason === "timeout" ? "timeout" : "runtime", `${what} ${message}`, {
      ...capped,
      ...(suggestion !== undefined && { suggestions: [suggestion] }),
      ...(retryable && { retryable }),
    });
  switch (result.reason) {
    case "exit":
      return fail(
        result.code === null
          ? `was ended by ${result.signal ?? "a signal"}.`
          : `ended with exit code ${result.code}.`,
      );
    case "timeout":
      return fail(`took longer than ${timeoutMs} ms and was ended with all it had started.`, moreTime);
    case "killed":
      return failed("aborted", `${what} was stopped before it ended.`, capped);
    case "output_limit":
      return fail(
        `wrote more than ${result.outputBytes} bytes and was ended.`,
        "Write the output to a file and read the part that you need.",
      );
    case "oom":
      return fail(
        "used more memory than the sandbox has and was ended.",
        "Process the data in smaller parts, or one after another.",
      );
    case "disk_full":
      return fail(
        "was ended because the workspace is full.",
        "Remove files that are no longer needed, then try again.",
      );
    case "lost":
      return fail("lost its sandbox while it ran; what it did is not known.", newSandboxText, true);
  }
}

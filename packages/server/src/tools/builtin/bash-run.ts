import { failpoint } from "../../lib/failpoint.ts";
import type { ExecResult, Sandbox } from "../../sandbox/sandbox.ts";
import type { ToolContext, ToolOutcome } from "../tool.ts";
import { capOutput, maxStoredBytes } from "./capped-output.ts";
import { defineTool, failed } from "./define-tool.ts";

const defaultTimeoutMs = 120_000;
const maxTimeoutMs = 600_000;
/** Characters of one call's output that followers see live. */
const maxLiveCharacters = 256 * 1024;

interface Input {
  command: string;
  cwd?: string;
  timeoutMs?: number;
  background?: boolean;
}

export const bashRun = defineTool<Input>({
  name: "bash_run",
  effect: "once",
  touchesWorkspace: true,
  needsSandbox: true,
  reachesOutside: true,
  mainArgument: "command",
  // The command has its own time limit; this one is for everything around it.
  timeoutMs: maxTimeoutMs + 30_000,
  properties: {
    command: { type: "string", minLength: 1, maxLength: 100_000, description: "run by bash -c" },
    cwd: { type: "string", description: "folder to run in, relative to the workspace" },
    timeoutMs: {
      type: "integer",
      minimum: 1,
      maximum: maxTimeoutMs,
      description: `milliseconds until the command is ended; default ${defaultTimeoutMs}`,
    },
    background: { type: "boolean", description: "start it and go on; read its output with bash_logs" },
  },
  required: ["command"],
  async run({ command, cwd, timeoutMs = defaultTimeoutMs, background = false }, context) {
    const sandbox = await context.sandbox();
    const place = cwd === undefined ? {} : { cwd };
    if (background) return await startInBackground(sandbox, { command, ...place });
    const result = await sandbox.exec({
      command,
      ...place,
      timeoutMs,
      signal: context.signal,
      onOutput: liveOutput(context),
      maxOutputBytes: maxStoredBytes,
    });
    failpoint("tool.effect-done");
    return await outcomeOf(result, timeoutMs, context);
  },
});

async function startInBackground(
  sandbox: Sandbox,
  spec: { command: string; cwd?: string },
): Promise<ToolOutcome> {
  const { id } = await sandbox.spawn(spec);
  failpoint("tool.effect-done");
  return {
    ok: true,
    content: `Started in the background as ${id}. Read its output with bash_logs, end it with bash_kill.`,
  };
}

function liveOutput(context: ToolContext): (chunk: string) => void {
  let left = maxLiveCharacters;
  return (chunk) => {
    if (left <= 0) return;
    context.progress(chunk.slice(0, left));
    left -= chunk.length;
    if (left <= 0) context.progress("\n[further output is not shown live]\n");
  };
}

async function outcomeOf(result: ExecResult, timeoutMs: number, context: ToolContext): Promise<ToolOutcome> {
  const capped = await capOutput(result.output, context);
  if (result.reason === "exit" && result.code === 0) {
    return { ok: true, ...capped, content: capped.content === "" ? "(no output)" : capped.content };
  }
  switch (result.reason) {
    case "exit": {
      const how =
        result.code === null
          ? `was ended by ${result.signal ?? "a signal"}`
          : `ended with exit code ${result.code}`;
      return failed("runtime", `The command ${how}.`, capped);
    }
    case "timeout":
      return failed(
        "timeout",
        `The command took longer than ${timeoutMs} ms and was ended with all it had started.`,
        {
          ...capped,
          suggestions: [
            `Give it more time with timeoutMs (at most ${maxTimeoutMs}), or run it with background: true.`,
          ],
        },
      );
    case "killed":
      return failed("aborted", "The command was stopped before it ended.", capped);
    case "output_limit":
      return failed("runtime", `The command wrote more than ${result.outputBytes} bytes and was ended.`, {
        ...capped,
        suggestions: ["Write the output to a file and read the part that you need."],
      });
    case "oom":
      return failed("runtime", "The command used more memory than the sandbox has and was ended.", {
        ...capped,
        suggestions: ["Process the data in smaller parts."],
      });
    case "disk_full":
      return failed("runtime", "The workspace is full; the command was ended.", {
        ...capped,
        suggestions: ["Remove files that are no longer needed, then try again."],
      });
    case "lost":
      return failed(
        "runtime",
        "The sandbox was lost while the command ran; what it did is not known.",
        capped,
      );
  }
}

import { failpoint } from "../../lib/failpoint.ts";
import type { Sandbox } from "../../sandbox/sandbox.ts";
import type { ToolOutcome } from "../tool.ts";
import { maxStoredBytes } from "./capped-output.ts";
import { commandOutcome, liveOutput } from "./command-outcome.ts";
import { defineTool } from "./define-tool.ts";

const defaultTimeoutMs = 120_000;
const maxTimeoutMs = 600_000;

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
    const moreTime = `Give it more time with timeoutMs (at most ${maxTimeoutMs}), or run it with background: true.`;
    return await commandOutcome(result, { what: "The command", timeoutMs, moreTime, context });
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

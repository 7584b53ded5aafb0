import { Command } from "commander";
import { openSession, type OpenFlags } from "./chat/open-session.ts";
import { runTask } from "./chat/task.ts";
import type { Actions, CommandContext } from "./context.ts";
import { advised } from "./advice.ts";
import { exit } from "./exit.ts";
import { parseDuration } from "../lib/duration.ts";
import { timeOption } from "./time-option.ts";
import { safeText } from "./terminal/safe-text.ts";

interface RunFlags extends OpenFlags {
  readonly timeout?: string;
  readonly yes?: boolean;
  readonly verbose?: boolean;
}

const examples = `
Examples:
  ./berth run "Write a haiku to haiku.txt" --yes
  ./berth run "Sum up README.md" --json | jq -r .text
  ./berth run "Check the links" --agent helper --timeout 5m

Prints the agent's last message, or with --json {sessionId, runId, status, reason, text, usage, cost, toolCalls}.
The exit code is 0 only when the run completed. Approvals are denied unless --yes.`;

export function runCommand(actions: Actions): Command {
  const command = new Command("run")
    .argument("<task>", "what to do")
    .description("Let an agent do one task, and print what came of it.")
    .option("--agent <name>", "the agent; default: assistant, made when there is none")
    .option("--session <id>", "in an existing session")
    .option("--key <key>", "in the session of this name, made when there is none")
    .option("--model <provider/model>", "another model than the agent's")
    .option(
      "--timeout <time>",
      "interrupt it after so long, for example 90s or 10m",
      timeOption({ most: 7 * 86_400_000 }),
    )
    .option("--yes", "approve whatever the agent wants to do")
    .option("--verbose", "show on standard error what it does")
    .addHelpText("after", examples);
  return actions.bind<RunFlags>(command, run);
}

async function run(context: CommandContext<RunFlags>): Promise<number> {
  const { args, flags, printer, signal } = context;
  const timeoutMs = flags.timeout === undefined ? undefined : parseDuration(flags.timeout);
  const client = await context.client();
  const session = await openSession(client, flags, (text) => printer.err(`${text}\n`));
  const result = await runTask({
    client,
    session: client.session(session.id),
    text: args[0] ?? "",
    // What happens on the way is no result.
    printer: { ...printer, interactive: false, out: flags.verbose === true ? printer.err : () => {} },
    lines: null,
    yes: flags.yes === true,
    quiet: flags.verbose !== true,
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  if (result === null) return exit.failed;
  context.print(result, () => (result.text === "" ? "" : `${safeText(result.text)}\n`));
  if (result.status !== "completed" && flags.json !== true) {
    printer.err(
      `The run ended: ${result.reason}${result.error === null ? "" : `. ${advised(result.error.message)}`}\n`,
    );
  }
  return result.status === "completed" ? exit.ok : exit.failed;
}

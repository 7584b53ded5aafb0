import type { SandboxProcess } from "@berth/client";
import type { Command } from "commander";
import type { Actions, CommandContext } from "../context.ts";
import { inOrg } from "../identity/org-option.ts";
import { oneLine } from "../terminal/safe-text.ts";
import { endOf } from "./exec.ts";
import { shownOutput } from "./shown-output.ts";
import { targetOf } from "./target.ts";

interface LogsFlags {
  readonly follow?: boolean;
}

export function bindSandboxLogs(actions: Actions, sandbox: Command): void {
  const logs = inOrg(
    sandbox
      .command("logs <session|sandbox> [process]")
      .description("Show the output of a background process; without one, which there are.")
      .option("-f, --follow", "go on until it ends, and end with its exit code")
      .addHelpText(
        "after",
        "\nA background process does not count as use: it ends with its sandbox when that is idle, unless it is followed.",
      ),
  );
  actions.bind<LogsFlags>(logs, async (context) => {
    const { client, args, flags, printList, signal } = context;
    const berth = await client();
    const [name = "", process] = args;
    const { id } = await targetOf(berth, name, signal);
    if (process === undefined) {
      printList(await berth.sandboxes.processes(id, { signal }), columns, "No process was started.");
      return 0;
    }
    if (flags.follow === true) return follow(context, id, process);
    const output = await berth.sandboxes.process(id, process, 0, { signal });
    if (flags.json === true) context.print(output, "");
    else shownOutput(context)(output.text);
    return 0;
  });
}

async function follow(context: CommandContext<LogsFlags>, id: string, process: string): Promise<number> {
  const { client, flags, printer, signal } = context;
  const show = shownOutput(context);
  for await (const event of (await client()).sandboxes.follow(id, process, { signal })) {
    if (flags.json === true) printer.out(`${JSON.stringify(event)}\n`);
    else if (event.type === "output") show(event.text);
    if (event.type === "exit") return endOf(context, event);
  }
  return 1;
}

const columns = {
  PROCESS: ({ id }: SandboxProcess) => id,
  STARTED: ({ startedAt }: SandboxProcess) => startedAt.slice(0, 19).replace("T", " "),
  STATE: ({ running, code }: SandboxProcess) => (running ? "running" : `ended (${code ?? "killed"})`),
  COMMAND: ({ command }: SandboxProcess) => oneLine(command, 60),
};

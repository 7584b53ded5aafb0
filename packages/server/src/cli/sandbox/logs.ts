import type { SandboxProcess } from "@berth/client";
import type { Command } from "commander";
import type { Actions, CommandContext } from "../context.ts";
import { inSandbox } from "./in-sandbox.ts";
import { oneLine } from "../terminal/safe-text.ts";
import { endOf } from "./exec.ts";
import { shownOutput } from "./shown-output.ts";
import { targetOf } from "./target.ts";

interface LogsFlags {
  readonly follow?: boolean;
}

export function bindSandboxProcesses(actions: Actions, sandbox: Command): void {
  const processes = inSandbox(
    sandbox
      .command("processes <session|sandbox>")
      .description("List background processes, those that have ended too; berth sandbox exec -d starts one."),
  );
  actions.bind(processes, async (context) => {
    const { client, args, printList, signal } = context;
    const berth = await client();
    const { id } = await targetOf(context, berth, args[0] ?? "");
    printList(await berth.sandboxes.processes(id, { signal }), columns, noProcess);
  });
  const kill = inSandbox(
    sandbox
      .command("kill <session|sandbox> <process>")
      .description("End a background process and all that it started."),
  );
  actions.bind(kill, async (context) => {
    const { client, args, print, signal } = context;
    const [name = "", process = ""] = args;
    const berth = await client();
    const { id } = await targetOf(context, berth, name);
    await berth.sandboxes.kill(id, process, { signal });
    print({ killed: process }, `Process ${process} is ended.\n`);
  });
}

export function bindSandboxLogs(actions: Actions, sandbox: Command): void {
  const logs = inSandbox(
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
    const { id } = await targetOf(context, berth, name);
    if (process === undefined) {
      printList(await berth.sandboxes.processes(id, { signal }), columns, noProcess);
      return 0;
    }
    if (flags.follow === true) return follow(context, id, process);
    const output = await berth.sandboxes.process(id, process, 0, { signal });
    if (flags.json === true) context.print(output, "");
    else shownOutput(context)(output.text);
    return 0;
  });
}

const noProcess = "No process was started: berth sandbox exec -d starts one.";

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

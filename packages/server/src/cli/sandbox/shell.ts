import type { Command } from "commander";
import type { Actions, CommandContext } from "../context.ts";
import { inSandbox } from "./in-sandbox.ts";
import type { Io } from "../terminal/io.ts";
import { endOf } from "./exec.ts";
import { readAll } from "./read-all.ts";
import { shownOutput } from "./shown-output.ts";
import { type Target, targetOrLast } from "./target.ts";

interface ShellFlags {
  readonly command?: string;
}

export function bindSandboxShell(actions: Actions, sandbox: Command): void {
  const shell = inSandbox(
    sandbox
      .command("shell [session|sandbox]")
      .description("Open a shell in a sandbox; default: in the one of yours that was used last.")
      .option("--command <command>", "something else than a login shell"),
  );
  actions.bind<ShellFlags>(shell, async (context) => {
    const { args, io } = context;
    const interactive = io.stdin.isTTY === true && io.stdout.isTTY === true;
    if (!interactive) {
      context.printer.err("This is no terminal: standard input is run as a script, by bash -s.\n");
    }
    const target = await targetOrLast(context, await context.client(), args[0]);
    return interactive ? openShell(context, target) : runScript(context, target);
  });
}

/** Ends with the exit code of the shell. */
async function openShell(context: CommandContext<ShellFlags>, { id, cwd }: Target): Promise<number> {
  const { io, flags, signal } = context;
  const { stdin, stdout } = io;
  const size = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const terminal = await (
    await context.client()
  ).sandboxes.terminal(id, {
    ...size(),
    signal,
    ...(cwd !== undefined && { cwd }),
    ...(flags.command !== undefined && { command: flags.command }),
    // What a shell shows is meant for the terminal, whatever it is.
    onOutput: (data) => void stdout.write(data),
  });
  const type = (data: Buffer | string) => terminal.write(new Uint8Array(Buffer.from(data)));
  const resize = () => terminal.resize(size().columns, size().rows);
  const restore = rawMode(stdin);
  stdin.on("data", type);
  stdout.on("resize", resize);
  try {
    return endOf(context, await terminal.ended);
  } finally {
    stdin.off("data", type);
    stdout.off("resize", resize);
    stdin.pause();
    restore();
    terminal.close();
  }
}

/** Every key goes to the shell, Ctrl-C too. The function undoes it. */
function rawMode(stdin: Io["stdin"]): () => void {
  stdin.setRawMode?.(true);
  stdin.resume();
  return () => void stdin.setRawMode?.(false);
}

async function runScript(context: CommandContext<ShellFlags>, { id, cwd }: Target): Promise<number> {
  const { io, flags, signal } = context;
  const stdin = await readAll(io.stdin, signal);
  const body = { command: flags.command ?? "bash -s", stdin, ...(cwd !== undefined && { cwd }) };
  const show = shownOutput(context);
  const berth = await context.client();
  for await (const event of berth.sandboxes.execStream(id, { ...body, timeoutMs: 3_600_000 }, { signal })) {
    if (event.type === "result") return endOf(context, event.result);
    show(event.text);
  }
  return 1;
}

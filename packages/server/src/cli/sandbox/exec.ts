import type { ExecResult } from "@berth/client";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { Actions, CommandContext } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { inSandbox } from "./in-sandbox.ts";
import { readAll } from "./read-all.ts";
import { shownOutput } from "./shown-output.ts";
import { targetOf } from "./target.ts";

interface ExecFlags {
  readonly cwd?: string;
  readonly timeout?: string;
  readonly env?: readonly string[];
  readonly oneshot?: boolean;
  readonly stdin?: boolean;
  readonly background?: boolean;
}

export function bindSandboxExec(actions: Actions, sandbox: Command): void {
  const command = inSandbox(
    sandbox
      .command("exec <session|sandbox> <command...>")
      .description("Run a command, and end with its exit code.")
      .option("--cwd <folder>", "in a folder of the workspace")
      .option("--timeout <time>", "end it after so long, for example 90s; default: 2m, at most 1h")
      .option("--env <name=value>", "a variable of its environment; may be given several times", oneMore)
      .option("--oneshot", "in a sandbox of its own with the same files, gone afterwards")
      .option("-i, --stdin", "give it what comes on standard input")
      .option("-d, --background", "let it go on, and print its id: see berth sandbox logs and kill"),
  );
  actions.bind<ExecFlags>(command, run);
}

async function run(context: CommandContext<ExecFlags>): Promise<number> {
  const { args, flags, io, signal } = context;
  const [name = "", ...words] = args;
  const { cwd, timeout, env, oneshot, stdin, background } = flags;
  if (background === true && (timeout !== undefined || oneshot === true || stdin === true)) {
    throw new CliError("--background goes with none of --timeout, --oneshot and --stdin.", exit.usage);
  }
  const input = stdin === true ? await readAll(io.stdin, signal) : undefined;
  const berth = await context.client();
  const target = await targetOf(context, berth, name);
  const where = cwd === undefined ? target.cwd : [target.cwd, cwd].filter(Boolean).join("/");
  const start = {
    command: words.length === 1 ? (words[0] ?? "") : words.map(quoted).join(" "),
    ...(where !== undefined && { cwd: where }),
    ...(env !== undefined && { environment: Object.fromEntries(env.map(variable)) }),
  };
  if (background === true) {
    const started = await berth.sandboxes.spawn(target.id, start, { signal });
    context.print(started, `${started.id}\n`);
    return exit.ok;
  }
  const body = {
    ...start,
    ...(timeout !== undefined && { timeoutMs: parseDuration(timeout) }),
    ...(oneshot === true && { oneshot }),
    ...(input !== undefined && { stdin: input }),
  };
  const show = shownOutput(context);
  for await (const event of berth.sandboxes.execStream(target.id, body, { signal })) {
    if (event.type === "output") {
      if (flags.json !== true) show(event.text);
      continue;
    }
    if (flags.json === true) context.print(event.result, "");
    return endOf(context, event.result);
  }
  return exit.failed;
}

/** The command's own exit code; else those by which shells tell the same. */
export function endOf(
  { printer, flags }: Pick<CommandContext<unknown>, "printer" | "flags">,
  { code, reason }: Pick<ExecResult, "code" | "reason">,
): number {
  const why = reason === "exit" ? undefined : reasons[reason];
  if (why !== undefined && flags.json !== true) printer.err(`${why}\n`);
  if (code !== null) return code;
  return reason === "timeout" ? 124 : 137;
}

const reasons: Readonly<Record<Exclude<ExecResult["reason"], "exit">, string>> = {
  timeout: "It took too long and was ended: give it more time with --timeout.",
  killed: "It was ended.",
  output_limit: "It wrote more than is taken and was ended: let it write to a file.",
  oom: "It needed more memory than the sandbox has and was ended.",
  disk_full: "It wrote more than the workspace holds and was ended.",
  lost: "Its sandbox was lost. The files are there: run it again.",
};

/** A word as bash reads it back. One word alone is a command line already. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function variable(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw new CliError(`--env takes NAME=VALUE, not ${text}.`, exit.usage);
  return [text.slice(0, at), text.slice(at + 1)];
}

import { BerthApiError, type ExecEvent, type ExecResult } from "@berth/client";
import { execLimits } from "@berth/contract";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { Actions, CommandContext } from "../context.ts";
import { CliError, exit } from "../exit.ts";
import { timeOption } from "../time-option.ts";
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
      .option(
        "--timeout <time>",
        "end it after so long, for example 90s; default: 2m, at most 1h",
        timeOption({ most: execLimits.timeoutMs }),
      )
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
  const command = words.length === 1 ? (words[0] ?? "") : words.map(quoted).join(" ");
  if (command.trim() === "") throw new CliError("There is no command to run: it is empty.", exit.usage);
  const environment = env === undefined ? undefined : Object.fromEntries(env.map(variable));
  const input = stdin === true ? await readAll(io.stdin, signal) : undefined;
  const berth = await context.client();
  const target = await targetOf(context, berth, name);
  const where = cwd === undefined ? target.cwd : [target.cwd, cwd].filter(Boolean).join("/");
  const start = {
    command,
    ...(where !== undefined && { cwd: where }),
    ...(environment !== undefined && { environment }),
  };
  if (background === true) {
    const started = await berth.sandboxes.spawn(target.id, start, { signal }).catch(sentOnce);
    context.print(started, `${started.id}\n`);
    return exit.ok;
  }
  const body = {
    ...start,
    ...(timeout !== undefined && { timeoutMs: parseDuration(timeout) }),
    ...(oneshot === true && { oneshot }),
    ...(input !== undefined && { stdin: input }),
  };
  const result = await toItsEnd(context, berth.sandboxes.execStream(target.id, body, { signal })).catch(
    sentOnce,
  );
  if (result === null) return exit.failed;
  if (flags.json === true) context.print(result, "");
  return endOf(context, result);
}

async function toItsEnd(
  context: CommandContext<ExecFlags>,
  events: AsyncIterable<ExecEvent>,
): Promise<ExecResult | null> {
  const show = shownOutput(context);
  for await (const event of events) {
    if (event.type === "result") return event.result;
    if (context.flags.json !== true) show(event.text);
  }
  return null;
}

const ofHosts: ReadonlySet<string> = new Set([
  "sandbox_gone",
  "sandbox_lost",
  "sandbox_host_error",
  "sandbox_timeout",
]);

/** Whoever gave --wait is told why that did not help. */
function sentOnce(thrown: unknown): never {
  if (!(thrown instanceof BerthApiError) || !ofHosts.has(thrown.code)) throw thrown;
  const { status, code, requestId, retryable, errors, details } = thrown;
  const detail = `${thrown.detail} A command is sent only once, as it may have run: --wait waits for a sandbox, and not for its host.`;
  const problem = { code, detail, retryable, errors: [...errors], details };
  throw new BerthApiError(status, { ...problem, ...(requestId !== null && { requestId }) });
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
  const name = text.slice(0, at);
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
    throw new CliError(
      `--env ${text}: ${name} is no name of a variable. It begins with a letter or _, and has letters, digits and _ only.`,
      exit.usage,
    );
  }
  return [name, text.slice(at + 1)];
}

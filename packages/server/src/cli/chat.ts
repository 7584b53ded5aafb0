import { Command } from "commander";
import { converse } from "./chat/conversation.ts";
import { createLineReader, type LineReader } from "./chat/line-reader.ts";
import { openSession, type OpenFlags } from "./chat/open-session.ts";
import { recoveryLines } from "./chat/recover.ts";
import { runTask } from "./chat/task.ts";
import type { Actions, CommandContext } from "./context.ts";
import { CliError, exit } from "./exit.ts";
import type { Printer } from "./terminal/io.ts";

interface ChatFlags extends OpenFlags {
  readonly yes?: boolean;
}

const examples = `
Examples:
  ./berth chat                                   talk with the agent "assistant"
  ./berth chat --resume                          go on in the newest session
  ./berth chat --key project:a "And now?"        one message in a session of your own naming
  git diff | ./berth chat                        the message is what comes in

Without a terminal the answer goes to standard output, everything else to standard error, and approvals are denied.`;

export function chatCommand(actions: Actions): Command {
  const command = new Command("chat")
    .argument("[message]", "one message; without it you talk until you leave")
    .description("Talk with an agent.")
    .option("--agent <name>", "the agent; default: assistant, made when there is none")
    .option("--session <id>", "an existing session")
    .option("--key <key>", "the session of this name, made when there is none")
    .option("--resume [id]", "a session by its id, or the newest one")
    .option("--model <provider/model>", "another model than the agent's")
    .option("--yes", "approve whatever the agent wants to do")
    .addHelpText("after", examples);
  return actions.bind<ChatFlags>(command, chat);
}

async function chat(context: CommandContext<ChatFlags>): Promise<number> {
  const { args, flags, io, signal } = context;
  const message = args[0] ?? (context.printer.interactive ? null : await readAll(io.stdin));
  if (message !== null && message.trim() === "")
    throw new CliError("There is no message to send.", exit.usage);
  if (message === null && flags.json === true) throw new CliError("--json needs a message.", exit.usage);
  if (flags.resume !== undefined && (flags.key !== undefined || flags.session !== undefined))
    throw new CliError("--resume names a session itself: leave out --key and --session.", exit.usage);
  const client = await context.client();
  const session = await openSession(client, flags, (text) => context.printer.err(`${text}\n`));
  const lines = context.printer.interactive && flags.json !== true ? createLineReader(io) : null;
  const printer = lines === null ? context.printer : aroundQuestions(context.printer, lines);
  try {
    const yes = flags.yes === true;
    if (message !== null) {
      const quiet = flags.json === true;
      const result = await runTask({
        client,
        session: client.session(session.id),
        text: message,
        printer,
        lines,
        yes,
        quiet,
        signal,
      });
      if (result === null) return exit.failed;
      if (flags.json === true) context.print(result, "");
      else if (result.recovery.length > 0)
        printer.err(`What can be done (./berth chat --resume ${session.id}):\n${recoveryLines(result)}`);
      return result.status === "completed" ? exit.ok : exit.failed;
    }
    if (lines === null) throw new CliError("There is no terminal to talk at: give a message.", exit.usage);
    const resumed = flags.resume !== undefined || flags.session !== undefined || flags.key !== undefined;
    printer.out(
      printer.style("dim", `${session.agent.name} in ${session.id}. /help lists what else there is.\n`),
    );
    return await converse({ client, session, printer, lines, yes, signal, resumed });
  } finally {
    lines?.close();
  }
}

/** What is written while a question waits does not write over it. */
function aroundQuestions(printer: Printer, lines: LineReader): Printer {
  return {
    ...printer,
    out: (text) => lines.around(text, printer.out),
    err: (text) => lines.around(text, printer.err),
  };
}

async function readAll(stdin: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const chunk of stdin.setEncoding("utf8")) text += String(chunk);
  return text;
}

import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { type BerthClient, createTranscript } from "@berth/client";
import { formatCursor } from "@berth/contract";
import { advised } from "../advice.ts";
import type { Printer } from "../terminal/io.ts";
import { oneLine, safeText } from "../terminal/safe-text.ts";
import { createRenderer } from "./renderer.ts";

export interface SlashContext {
  readonly client: BerthClient;
  readonly sessionId: string;
  readonly printer: Printer;
}

/** What comes of a slash command: nothing, another session to talk in, or the end. */
export type SlashOutcome = { readonly sessionId?: string; readonly leave?: boolean };

type SlashCommand = (context: SlashContext, argument: string) => Promise<SlashOutcome>;

const help = `  /todos              the agent's list
  /files [folder]     the files that it works on
  /model [name]       the model, or another one from the next message on
  /fork [event]       go on in a copy of this session
  /rewind [event]     undo the last message and all that came of it, or everything after an event
  /export [file]      write the log, one JSON event a line
  /exit               leave; the session stays
  A line that ends in \\ goes on in the next one. Ctrl-C interrupts the agent, twice leaves.
`;

const commands: Readonly<Record<string, SlashCommand>> = {
  help: async ({ printer }) => {
    printer.out(help);
    return {};
  },
  todos: async ({ client, sessionId, printer }) => {
    const { todos } = await client.session(sessionId).todos();
    if (todos.length === 0) printer.out("  There are no todos.\n");
    createRenderer(printer).todos(todos);
    return {};
  },
  files: async ({ client, sessionId, printer }, path) => {
    const { items, truncated } = await client.session(sessionId).files.list(path === "" ? {} : { path });
    for (const { path: name, kind, size } of items) {
      printer.out(
        `  ${kind === "directory" ? `${oneLine(name, 200)}/` : `${oneLine(name, 200)}  ${size} bytes`}\n`,
      );
    }
    if (items.length === 0) printer.out("  There are no files.\n");
    if (truncated) printer.out("  … and more\n");
    return {};
  },
  model: async ({ client, sessionId, printer }, model) => {
    if (model !== "") await client.sessions.update(sessionId, { model });
    const session = await client.sessions.get(sessionId);
    const shown = model === "" ? (session.model ?? (await client.agents.get(session.agent.id)).model) : model;
    printer.out(`  ${oneLine(shown, 200)}\n`);
    return {};
  },
  fork: async ({ client, sessionId, printer }, seq) => {
    const fork = await client.sessions.fork(sessionId, seq === "" ? {} : { seq: seqOf(seq) });
    printer.out(`  You are in ${fork.id} now.\n`);
    return { sessionId: fork.id };
  },
  rewind: async (context, seq) => {
    const { client, sessionId, printer } = context;
    const target = seq === "" ? await beforeLastMessage(context) : seqOf(seq);
    await client.sessions.rewind(sessionId, target);
    printer.out(`  Back at event ${target}.\n`);
    return {};
  },
  export: async ({ client, sessionId, printer }, file) => {
    const target = file === "" ? `${sessionId}.jsonl` : file;
    await pipeline(withNewlines(client.sessions.export(sessionId)), createWriteStream(target));
    printer.out(`  Written to ${safeText(target)}.\n`);
    return {};
  },
  exit: async () => ({ leave: true }),
};

/** True for a line that is for the program and not for the agent. */
export function isSlashCommand(line: string): boolean {
  return /^\/[a-z][\w-]*(\s|$)/i.test(line);
}

/** Does what the line says. What goes wrong is said, and changes nothing else. */
export async function runSlashCommand(context: SlashContext, line: string): Promise<SlashOutcome> {
  const [, name = "", argument = ""] = /^\/([\w-]+)\s*([\s\S]*?)\s*$/.exec(line) ?? [];
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    context.printer.out(`  There is no /${name}.\n${help}`);
    return {};
  }
  try {
    return await command(context, argument);
  } catch (error) {
    context.printer.out(`  ${advised(error instanceof Error ? error.message : String(error))}\n`);
    return {};
  }
}

function seqOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new Error(`${text} is no event number.`);
  return Number(text);
}

/** Events that are looked through for the last message. */
const lookBack = 500;

async function beforeLastMessage({ client, sessionId }: SlashContext): Promise<number> {
  const { generation, lastSeq } = await client.sessions.get(sessionId);
  const transcript = createTranscript();
  for (
    let after: string | null = formatCursor(generation, Math.max(0, lastSeq - lookBack));
    after !== null;
  ) {
    const page = await client.session(sessionId).log({ after, limit: 200 });
    for (const event of page.items) transcript.apply(event);
    after = page.next;
  }
  const last = transcript.blocks.findLast((block) => block.kind === "message" && block.from === "user");
  if (last?.seq === undefined || last.seq === null) throw new Error("There is no message to undo.");
  return last.seq - 1;
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

import type { BerthClient, Changed, Session } from "@berth/client";
import type { Command } from "commander";
import type { Actions, CommandContext } from "../context.ts";
import { createLineReader } from "../chat/line-reader.ts";
import { CliError, exit } from "../exit.ts";
import type { Io } from "../terminal/io.ts";
import { oneLine } from "../terminal/safe-text.ts";

export function bindSessionChanges(actions: Actions, sessions: Command): void {
  const fork = sessions
    .command("fork <id>")
    .description("Make a session that shares this one's log and workspace up to an event.")
    .option("--seq <number>", "the last event to share; default: the last one")
    .option("--title <text>", "the new session's title");
  actions.bind<{ seq?: string; title?: string }>(fork, async (context) => {
    const { args, flags, print, printer, signal } = context;
    const { seq, title } = flags;
    const body = { ...(seq !== undefined && { seq: seqOf(seq) }), ...(title !== undefined && { title }) };
    const berth = await context.client();
    const session = await berth.sessions.fork(args[0] ?? "", body);
    print(session, `${session.id}\n`);
    if (flags.json !== true) {
      const files = await toldOfFiles(berth, session, { after: session.forkedFrom?.seq ?? 0, signal });
      if (files !== "") printer.err(`${files}\n`);
    }
  });
  const rewind = sessions
    .command("rewind <id> <seq>")
    .description("Undo everything after an event, workspace included.");
  actions.bind(rewind, async (context) => {
    const [id = "", seq = ""] = context.args;
    const target = seqOf(seq);
    const berth = await context.client();
    const changed = await berth.sessions.rewind(id, target);
    const files =
      "status" in changed && context.flags.json !== true
        ? await toldOfFiles(berth, changed, {
            after: Math.max(0, changed.lastSeq - nearEnd),
            signal: context.signal,
          })
        : "";
    printChanged(context, changed, `Session ${id} is back at event ${seq}. ${files}`.trimEnd());
  });
  const archive = sessions
    .command("archive <id>")
    .description("Put a session away: it takes no more messages.")
    .option("--undo", "take it out again");
  actions.bind<{ undo?: boolean }>(archive, async (context) => {
    const [id = ""] = context.args;
    const archived = context.flags.undo !== true;
    const changed = await (await context.client()).sessions.update(id, { archived });
    printChanged(context, changed, `Session ${id} is ${archived ? "archived" : "back"}.`);
  });
  const remove = sessions
    .command("delete <id>")
    .description("Delete a session, its log and its workspace. There is no way back.")
    .option("--yes", "without asking");
  actions.bind<{ yes?: boolean }>(remove, async ({ client, args, flags, io, print, printer, signal }) => {
    const [id = ""] = args;
    const berth = await client();
    const asks = printer.interactive && flags.yes !== true && flags.json !== true;
    if (asks && !(await confirmed(io, `Delete ${oneLine(id, 100)} for good? y yes, n no: `, signal))) {
      printer.out("Nothing was deleted.\n");
      return exit.failed;
    }
    await berth.sessions.delete(id);
    print({ deleted: id }, `Session ${id} is deleted.\n`);
    return exit.ok;
  });
  const release = sessions
    .command("release <id>")
    .description("Let a quarantined session run again, once what broke its workers is mended.");
  actions.bind(release, async ({ client, args, print }) => {
    const [id = ""] = args;
    await (await client()).sessions.release(id);
    print({ released: id }, `Session ${id} may run again.\n`);
  });
}

/** Asks the person at the terminal; anything but a yes is a no. */
async function confirmed(io: Io, question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createLineReader(io);
  const stop = new AbortController();
  lines.onInterrupt(() => stop.abort());
  try {
    const answer = await lines.answer(question, { signal: AbortSignal.any([signal, stop.signal]) });
    return /^\s*y(es)?\s*$/i.test(answer ?? "");
  } finally {
    lines.close();
  }
}

/** The event that tells of a rewind is one of the last so many. */
const nearEnd = 20;

const filesTexts = {
  exact: "Its files are as they were there.",
  earlier: "Its files are as they were kept last before that: what tools changed after that is not in them.",
  left: "Its files stay as they are now: none were kept before that.",
} as const;

/** What became of the files, by the last event after this one that says so; empty when none does. */
async function toldOfFiles(
  berth: BerthClient,
  { id }: Session,
  { after, signal }: { readonly after: number; readonly signal: AbortSignal },
): Promise<string> {
  const types = ["session.forked", "session.rewound"];
  const { items } = await berth.session(id).log({ after: String(after), types, limit: 200, signal });
  const told = items.findLast(({ type }) => types.includes(type));
  if (told?.type !== "session.forked" && told?.type !== "session.rewound") return "";
  return told.data.files === undefined ? "" : filesTexts[told.data.files];
}

function printChanged({ print }: CommandContext<unknown>, changed: Changed, done: string): void {
  print(
    changed,
    "status" in changed
      ? `${done}\n`
      : `Accepted as ${changed.input.id}: the session is busy and will do it next.\n`,
  );
}

function seqOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CliError(
    `${text} is no event number: ./berth sessions tail ID --from-start shows them.`,
    exit.usage,
  );
}

import type { BerthClient, RunResult, Session } from "@berth/client";
import { exit } from "../exit.ts";
import type { Printer } from "../terminal/io.ts";
import { showHistory } from "./history.ts";
import { createInterrupter, type Interrupter } from "./interrupter.ts";
import type { LineReader } from "./line-reader.ts";
import { recover } from "./recover.ts";
import { isSlashCommand, runSlashCommand } from "./slash-commands.ts";
import { runTurn, type TurnContext, type TurnStart } from "./turn.ts";

export interface Conversation {
  readonly client: BerthClient;
  readonly session: Session;
  readonly printer: Printer;
  readonly lines: LineReader;
  readonly yes: boolean;
  readonly signal: AbortSignal;
  /** Show what was said before. */
  readonly resumed: boolean;
}

/** Talks until the person leaves; resolves with the exit code. */
export async function converse(conversation: Conversation): Promise<number> {
  const { client, printer, lines, session } = conversation;
  let sessionId = session.id;
  let interrupter: Interrupter | null = null;
  let warned = false;
  const left = new AbortController();
  lines.onInterrupt(() => {
    if (warned) return left.abort();
    warned = true;
    printer.out(
      interrupter !== null ? "\n(interrupting; Ctrl-C again leaves)\n" : "\n(Ctrl-C again leaves)\n",
    );
    void interrupter?.press();
  });
  const signal = AbortSignal.any([conversation.signal, left.signal]);
  signal.addEventListener("abort", () => lines.close(), { once: true });

  async function turn(start: TurnStart): Promise<void> {
    const turnOf = (): TurnContext => {
      const talk = client.session(sessionId);
      interrupter = createInterrupter(talk, () => printer.err("(it could not be interrupted)\n"));
      return { ...conversation, session: talk, signal, interrupter };
    };
    try {
      let result: RunResult | null = await runTurn(turnOf(), start);
      while (result !== null && result.run.status === "failed") {
        const recovered = await recover(client, turnOf(), result);
        result = recovered.result;
        if (recovered.sessionId !== null) {
          sessionId = recovered.sessionId;
          printer.out(`  You are in ${sessionId} now.\n`);
        }
      }
    } finally {
      interrupter = null;
      warned = false;
    }
  }

  try {
    if (conversation.resumed) await showHistory(client, session, printer);
    if (session.currentRunId !== null) {
      await turn({ runId: session.currentRunId, after: `${session.generation}.0` });
    }
    for (;;) {
      const line = await lines.message(printer.style("bold", "> "));
      if (line === null) break;
      warned = false;
      if (line.trim() === "") continue;
      if (!isSlashCommand(line)) {
        await turn({ text: line });
        continue;
      }
      const outcome = await runSlashCommand({ client, sessionId, printer }, line);
      if (outcome.leave === true) break;
      sessionId = outcome.sessionId ?? sessionId;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  printer.out(`\nThe session stays: ./berth chat --resume ${sessionId}\n`);
  return signal.aborted ? exit.interrupted : exit.ok;
}

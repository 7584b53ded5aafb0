import type { ModelCall } from "../../../src/models/model.ts";
import { parseScript, scriptText } from "../plan/script.ts";

/** A summary that a model was asked for. */
export interface Summary {
  readonly sessionId: string;
  readonly epoch: number | null;
  /** The conversation that it was shown, as one text. */
  readonly shown: string;
  /** What it wrote. */
  readonly text: string;
  /** It is in a log. */
  used: boolean;
}

/** True for a call that asks for a summary, and not for an answer. */
export function asksForSummary({ request }: ModelCall): boolean {
  return request.system.startsWith("You write the summary");
}

/** The conversation that a summary is asked of. */
export function shownOf({ request }: ModelCall): string {
  const [message] = request.messages;
  if (message?.role !== "user") return "";
  return message.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");
}

/** What a summary says, in pieces: its number, and the part of the newest script that was not followed yet. */
export function summaryOf(shown: string, number: number): readonly string[] {
  return [`Summary[${number}] `, "of what was said. ", goesOn(shown, number)].filter((piece) => piece !== "");
}

/** The number of a summary, by its text; null when it is none. */
export function summaryNumber(text: string): number | null {
  const [, number] = /^Summary\[(\d+)\] /.exec(text) ?? [];
  return number === undefined ? null : Number(number);
}

const spoken = /^(?:USER: |Summary\[)[^\n]*/gm;
const answered = /^AGENT: I answer/gm;

function goesOn(shown: string, number: number): string {
  const last = [...shown.matchAll(spoken)].findLast(([line]) => parseScript(line) !== null);
  const script = last === undefined ? null : parseScript(last[0]);
  if (last === undefined || script === null) return "";
  const turns = shown.slice(last.index).match(answered)?.length ?? 0;
  return scriptText(`${script.tag}~${number}`, script.turns.slice(turns));
}

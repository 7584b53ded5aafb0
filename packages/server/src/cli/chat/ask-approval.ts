import type { ApprovalRequest, DecideBody } from "@berth/client";
import type { Printer } from "../terminal/io.ts";
import { exactJson, oneLine } from "../terminal/safe-text.ts";
import type { LineReader } from "./line-reader.ts";

export interface Asking {
  readonly printer: Printer;
  readonly lines: LineReader;
  /** Aborts when no answer is wanted any more. */
  readonly signal: AbortSignal;
  /** Whether the person at this terminal is who ended it. */
  readonly interrupted?: () => boolean;
}

/** Asks the person at the terminal, showing exactly what would happen. Undefined when somebody else decided meanwhile. */
export async function askApproval(request: ApprovalRequest, at: Asking): Promise<DecideBody | undefined> {
  const { printer, lines, signal } = at;
  const who = oneLine(request.path.join(" > ") || "The agent", 200);
  printer.out(
    `${printer.style("yellow", `${who} wants to use ${oneLine(request.name, 64)} with exactly this:`)}\n`,
  );
  printer.out(`${exactJson(request.input)}\n`);
  for (;;) {
    const answer = await lines.answer("Allow it? y yes, n no (n REASON tells why), e edit: ", { signal });
    if (answer === null) {
      if (signal.aborted) printer.out(at.interrupted?.() === true ? "\n" : "\nIt was decided elsewhere.\n");
      return undefined;
    }
    const [word, reason] = splitWord(answer);
    if (/^y(es)?$/i.test(word)) return { decision: "allow" };
    if (/^no?$/i.test(word)) return { decision: "deny", ...(reason !== "" && { note: reason }) };
    if (/^e(dit)?$/i.test(word)) {
      const edited = await askEdit(request, at);
      if (edited !== undefined) return edited;
    }
  }
}

async function askEdit(
  { input }: ApprovalRequest,
  { printer, lines, signal }: { printer: Printer; lines: LineReader; signal: AbortSignal },
): Promise<DecideBody | undefined> {
  const prefill = exactJson(input).replace(/\n */g, " ");
  const answer = await lines.answer("New arguments: ", { prefill, signal });
  if (answer === null || answer.trim() === "") return undefined;
  try {
    return { decision: "edit", input: JSON.parse(answer) };
  } catch {
    printer.out("That is no JSON.\n");
    return undefined;
  }
}

function splitWord(text: string): [string, string] {
  const [, word = "", rest = ""] = /^\s*(\S*)\s*([\s\S]*?)\s*$/.exec(text) ?? [];
  return [word, rest];
}

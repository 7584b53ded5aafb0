import type { ModelRequest } from "../model.ts";
import { answersSince, lastUserMessage, textOf } from "./conversation.ts";
import { readScript, type Script, type ScriptTurn, writeScript } from "./script.ts";

const summaryRequest = "Summarize this conversation:";

/**
 * What the models `scripted/script` and `scripted/echo` do. The newest user message with a script rules, and the number of
 * answers since then tells its turn, so the same request gets the same answer in any process: a run goes on after a crash
 * as if there had been none. A summary carries the rest of the script over. Without a script the user's text comes back.
 */
export function instructedTurn(request: ModelRequest): ScriptTurn {
  const { messages } = request;
  const last = messages.at(-1);
  const said = last?.role === "user" ? textOf(last.content) : "";
  if (said.startsWith(summaryRequest)) return [{ text: summaryOf(said.slice(summaryRequest.length)) }];
  const ruling = lastUserMessage(messages, (text) => readScript(text) !== null);
  const message = messages[ruling];
  if (message?.role !== "user") return [{ text: `echo: ${lastWords(request)}` }];
  const script = readScript(textOf(message.content));
  if (script === null || typeof script === "string") {
    return [{ error: "invalid_request", message: script ?? "there is no script" }];
  }
  return script[answersSince(messages, ruling)] ?? [{ text: "The script is over." }];
}

function lastWords({ messages }: ModelRequest): string {
  const message = messages[lastUserMessage(messages, () => true)];
  return message?.role === "user" ? textOf(message.content) : "";
}

/** Reads a transcript in which paragraphs begin with `USER:`, `AGENT:` and `AGENT CALLS`. */
function summaryOf(transcript: string): string {
  const paragraphs = transcript.trim().split("\n\n");
  let script: Script | null = null;
  let answers = 0;
  for (const paragraph of paragraphs) {
    const found = paragraph.startsWith("AGENT") ? null : readScript(paragraph.trim());
    if (found !== null && typeof found !== "string") {
      script = found;
      answers = 0;
    } else if (paragraph.startsWith("AGENT")) answers++;
  }
  const length = `The conversation had ${paragraphs.length} paragraphs.`;
  return script === null ? length : `${length}\n\n${writeScript(script.slice(answers))}`;
}

import { createInterface, emitKeypressEvents } from "node:readline";
import type { Io } from "../terminal/io.ts";
import { createAboveQuestion } from "./above-question.ts";

/** Lines that a person types. Pasted lines and lines that end in a backslash belong to the one that follows. */
export interface LineReader {
  /** The next message, also one that was typed ahead; null when the input ends. */
  message(prompt: string): Promise<string | null>;
  /** The answer to a question: only what is typed after it was asked. Null when the signal aborts or the input ends. */
  answer(
    question: string,
    options?: { readonly prefill?: string; readonly signal?: AbortSignal },
  ): Promise<string | null>;
  /** Ctrl-C; replaces what was set before. */
  onInterrupt(call: () => void): void;
  /** Writes while a person may be typing: above the question that waits, which stays where they can see it. */
  around(text: string, write: (text: string) => void): void;
  close(): void;
}

const pasteOn = "\u001b[?2004h";
const pasteOff = "\u001b[?2004l";

export function createLineReader(io: Io): LineReader {
  const input = io.stdin;
  emitKeypressEvents(input);
  const lines = createInterface({ input, output: io.stdout, terminal: true, historySize: 500 });
  const typedAhead: string[] = [];
  let parts: string[] = [];
  let pasting = false;
  let closed = false;
  let interrupt = () => {};
  let asked: ((line: string | null) => void) | null = null;

  const onKey = (_: unknown, key: { name?: string } | undefined) => {
    if (key?.name === "paste-start") pasting = true;
    if (key?.name === "paste-end") pasting = false;
  };
  input.on("keypress", onKey);
  io.stdout.write(pasteOn);
  lines.on("SIGINT", () => interrupt());
  lines.on("line", (line) => {
    const goesOn = line.endsWith("\\");
    parts.push(goesOn ? line.slice(0, -1) : line);
    if (pasting || goesOn) return;
    const whole = parts.join("\n");
    parts = [];
    if (asked === null) typedAhead.push(whole);
    else asked(whole);
  });
  lines.on("close", () => {
    closed = true;
    asked?.(null);
  });

  const above = createAboveQuestion(lines, io.stdout);

  function next(prompt: string, signal?: AbortSignal): Promise<string | null> {
    if (closed || signal?.aborted === true) return Promise.resolve(null);
    return new Promise((resolve) => {
      const done = (line: string | null) => {
        asked = null;
        above.flush();
        signal?.removeEventListener("abort", abort);
        resolve(line);
      };
      const abort = () => done(null);
      signal?.addEventListener("abort", abort, { once: true });
      asked = done;
      lines.setPrompt(prompt);
      lines.prompt();
    });
  }

  return {
    message(prompt) {
      const ahead = typedAhead.shift();
      return ahead === undefined ? next(prompt) : Promise.resolve(ahead);
    },
    answer(question, { prefill, signal } = {}) {
      const answer = next(question, signal);
      if (prefill !== undefined) lines.write(prefill);
      return answer;
    },
    around(text, write) {
      if (asked === null || closed) write(text);
      else above.write(text, write);
    },
    onInterrupt(call) {
      interrupt = call;
    },
    close() {
      input.off("keypress", onKey);
      if (!closed) io.stdout.write(pasteOff);
      lines.close();
    },
  };
}

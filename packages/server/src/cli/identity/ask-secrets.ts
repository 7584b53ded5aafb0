import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CliError, exit } from "../exit.ts";
import type { Io } from "../terminal/io.ts";

export interface SecretQuestion {
  readonly text: string;
  /** What is typed is not shown. */
  readonly hidden: boolean;
}

/**
 * Answers that must not stand in a command's arguments: lines of standard input, or typed by a person, one after the other. Rejects
 * when nobody is there to ask, or the input ends.
 */
export async function askSecrets(
  io: Io,
  options: {
    readonly questions: readonly SecretQuestion[];
    readonly fromStdin: boolean;
    readonly signal: AbortSignal;
  },
): Promise<readonly string[]> {
  const { questions, fromStdin, signal } = options;
  const person = io.stdin.isTTY === true && io.stderr.isTTY === true;
  if (!fromStdin && !person)
    throw new CliError("Nobody is there to ask: give it on standard input, see --help.", exit.usage);
  let muted = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) io.stderr.write(chunk);
      done();
    },
  });
  const reader = createInterface({ input: io.stdin, output, terminal: !fromStdin, historySize: 0 });
  const lines = reader[Symbol.asyncIterator]();
  const stop = () => reader.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    const answers: string[] = [];
    for (const { text, hidden } of questions) {
      if (!fromStdin) io.stderr.write(text);
      muted = hidden || fromStdin;
      const line = await lines.next();
      muted = false;
      if (!fromStdin && hidden) io.stderr.write("\n");
      signal.throwIfAborted();
      if (line.done === true) throw new CliError("The input ended before all was answered.", exit.usage);
      answers.push(line.value);
    }
    return answers;
  } finally {
    signal.removeEventListener("abort", stop);
    reader.close();
  }
}

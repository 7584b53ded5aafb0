import { PassThrough } from "node:stream";
import type { Io } from "../../src/cli/terminal/io.ts";

/** Standard input and output of a command under test, as a terminal or as pipes. */
export interface TestTerminal {
  readonly io: Io;
  /** What was written so far; colours are left out. */
  out(): string;
  err(): string;
  /** Types as a person does. */
  type(text: string): void;
  /** Resolves once the output contains the text, after what an earlier call found. */
  until(text: string): Promise<void>;
  /** Sends SIGINT, as `kill -INT` does. */
  interrupt(): void;
}

export function createTestTerminal(
  options: {
    readonly isTTY?: boolean;
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): TestTerminal {
  const stdin = Object.assign(new PassThrough(), { isTTY: options.isTTY === true });
  const stdout = Object.assign(new PassThrough(), { isTTY: options.isTTY === true, columns: 100 });
  const stderr = Object.assign(new PassThrough(), { isTTY: options.isTTY === true });
  let out = "";
  let err = "";
  // Both, in the order in which they came.
  let shown = "";
  let found = 0;
  let wake = () => {};
  let interrupt = () => {};
  stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    shown += text;
    wake();
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    shown += text;
    wake();
  });
  if (options.isTTY !== true) stdin.end(options.input ?? "");
  return {
    io: {
      stdin,
      stdout,
      stderr,
      // What the person who runs the tests has set must not matter.
      env: options.env ?? {},
      onInterrupt(call) {
        interrupt = call;
        return () => void (interrupt = () => {});
      },
    },
    out: () => plain(out),
    err: () => plain(err),
    type: (text) => void stdin.write(text),
    interrupt: () => interrupt(),
    async until(text) {
      for (;;) {
        const all = plain(shown);
        const at = all.indexOf(text, found);
        if (at !== -1) return void (found = at + text.length);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

function plain(text: string): string {
  return text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "");
}

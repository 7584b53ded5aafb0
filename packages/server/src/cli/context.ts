import type { BerthClient } from "@berth/client";
import type { Command } from "commander";
import type { ConnectFlags } from "./connection.ts";
import { type OnBusy, tellOfWaits } from "./patience.ts";
import { exit } from "./exit.ts";
import { createPrinter, type Io, type Printer } from "./terminal/io.ts";
import { table } from "./terminal/table.ts";

export interface GlobalFlags extends ConnectFlags {
  readonly json?: boolean;
  readonly color?: boolean;
}

/** What a command has while it runs. */
export interface CommandContext<Flags> {
  readonly flags: Flags & GlobalFlags;
  readonly args: readonly string[];
  readonly io: Io;
  readonly printer: Printer;
  /** Aborts at the first Ctrl-C, and when nobody reads standard output any more. */
  readonly signal: AbortSignal;
  readonly client: () => Promise<BerthClient>;
  /** Says what the command waits for. */
  readonly onBusy: OnBusy;
  /** Writes a result: with --json as one JSON document, else the text. */
  readonly print: (value: unknown, text: string | (() => string)) => void;
  /** Writes a list: with --json as an array, else as a table. */
  readonly printList: <T>(
    items: readonly T[],
    columns: Readonly<Record<string, (item: T) => string>>,
    empty: string,
  ) => void;
}

/** Runs a command; resolves with the process's exit code. */
export type Action<Flags> = (context: CommandContext<Flags>) => Promise<number | void>;

/** Binds commands to where they read and write, and keeps what the last one ended with. */
export interface Actions {
  bind<Flags>(command: Command, action: Action<Flags>): Command;
  /** For a command that needs nothing of that. */
  end(code: number): void;
  exitCode(): number;
}

export function createActions(io: Io): Actions {
  let exitCode: number = exit.ok;
  return {
    exitCode: () => exitCode,
    end: (code) => void (exitCode = code),
    bind<Flags>(command: Command, action: Action<Flags>): Command {
      return command.action(async () => {
        exitCode = await runAction(io, command, action);
      });
    },
  };
}

async function runAction<Flags>(io: Io, command: Command, action: Action<Flags>): Promise<number> {
  const flags = command.optsWithGlobals<Flags & GlobalFlags>();
  const printer = createPrinter(io, { color: flags.color !== false });
  const stop = new AbortController();
  const undo = io.onInterrupt(() => stop.abort(new Error("interrupted")));
  const onError = () => stop.abort(new Error("nobody reads the output"));
  io.stdout.on("error", onError);
  const onBusy = tellOfWaits(flags, {
    err: printer.err,
    options: command.options.some(({ long }) => long === "--wait"),
  });
  const print: CommandContext<Flags>["print"] = (value, text) => {
    if (flags.json === true) printer.out(`${JSON.stringify(value)}\n`);
    else printer.out(typeof text === "string" ? text : text());
  };
  try {
    const result = await action({
      flags,
      args: command.args,
      io,
      printer,
      signal: stop.signal,
      client: async () => {
        const { connect } = await import("./connection.ts");
        return await connect(flags, stop.signal, { env: io.env, onBusy });
      },
      onBusy,
      print,
      printList(items, columns, empty) {
        const rows = items.map((item) => Object.values(columns).map((cell) => cell(item)));
        print(items, () =>
          rows.length === 0 ? `${empty}\n` : table(Object.keys(columns), rows, printer.width),
        );
      },
    });
    return stop.signal.aborted ? exit.interrupted : (result ?? exit.ok);
  } catch (thrown) {
    if (stop.signal.aborted) return exit.interrupted;
    throw thrown;
  } finally {
    undo();
    io.stdout.off("error", onError);
  }
}

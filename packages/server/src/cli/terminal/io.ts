import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Where a command reads and writes. Standard output carries results and nothing else. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream & {
    readonly isTTY?: boolean;
    /** Of a terminal: whether every key comes as it is. */
    setRawMode?(raw: boolean): unknown;
  };
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Instead of the process's environment, for tests. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Calls once at the first Ctrl-C or termination; a second one ends the process as usual. The function undoes it. */
  onInterrupt(call: () => void): () => void;
}

export function processIo(): Io {
  // Output that nobody reads any more must not end the process by an error; commands stop by themselves.
  process.stdout.on("error", () => {});
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onInterrupt(call) {
      const once = () => {
        undo();
        call();
      };
      const undo = () => {
        process.off("SIGINT", once);
        process.off("SIGTERM", once);
      };
      process.on("SIGINT", once);
      process.on("SIGTERM", once);
      return undo;
    },
  };
}

/** Writes for people: with colours on a terminal that wants them, plain elsewhere. */
export interface Printer {
  /** A person sits at both ends. */
  readonly interactive: boolean;
  readonly width: number;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly style: (format: Style, text: string) => string;
}

export function createPrinter(io: Io, options: { readonly color: boolean }): Printer {
  const { stdout } = io;
  return {
    interactive: stdout.isTTY === true && io.stdin.isTTY === true,
    // Some terminals say 0 when they do not know.
    width: stdout.columns === 0 ? 80 : (stdout.columns ?? 100),
    out: (text) => void stdout.write(text),
    err: (text) => void io.stderr.write(text),
    style(format, text) {
      if (!options.color || stdout.isTTY !== true) return text;
      // Looks at NO_COLOR and FORCE_COLOR too.
      return styleText(format, text, { stream: stdout });
    },
  };
}

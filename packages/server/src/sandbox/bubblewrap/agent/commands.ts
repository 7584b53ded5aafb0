import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, realpathSync, statSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { endStrays, markVariable, readProcesses } from "./process-list.ts";
import { type OutputPipe, takePipe } from "./pipes.ts";
import { type Channel, deliver, forward, type Wire } from "./wire.ts";

export interface StartMessage {
  readonly type: "start";
  readonly channel: number;
  readonly command: string;
  /** Below the workspace. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether its input stays open for `data`. */
  readonly input: boolean;
  readonly terminal?: { readonly columns: number; readonly rows: number };
}

/** Why something was not begun. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const shell = "/bin/bash";
const workspace = "/workspace";
/** How long output that is still on its way is waited for after a command's end, before what it left is ended. */
const lastWordsMs = 100;
/** By its first process's pid, the number of each command that has not ended. */
const live = new Map<number, number>();

/** Starts a command; `ended` is called when nothing of it is left and all its output was sent. */
export function startCommand(wire: Wire, start: StartMessage, ended: () => void): Channel {
  const cwd = findFolder(start.cwd);
  const pipe = takePipe();
  const child = launch(start, cwd, pipe);
  const pid = child.pid;
  if (pid === undefined) {
    pipe.reader.destroy();
    throw new Refusal("command_failed_to_start");
  }
  preferForOom(pid);
  live.set(pid, start.channel);
  wire.send({ type: "started", channel: start.channel });
  const output = follow(wire, start.channel, pipe);
  child.once("exit", (code, signal) => {
    void finish({ pid, output }).then((left) => {
      ended();
      wire.send({ type: "end", channel: start.channel, code, signal, left });
    });
  });
  return {
    data: (chunk) => {
      if (child.stdin !== null) deliver(wire, start.channel, child.stdin as Socket, chunk);
    },
    eof: () => void child.stdin?.end(),
    credit: (bytes) => output.credit(bytes),
    close: () => {
      live.delete(pid);
      void endStrays(live);
    },
    resize: (columns, rows) => void resize(pid, columns, rows),
  };
}

/** The folder itself, without links. What the sandbox can reach is all that there is, so this only keeps to what was asked for. */
function findFolder(cwd: string): string {
  try {
    const folder = realpathSync.native(`${workspace}/${cwd}`);
    if (folder !== workspace && !folder.startsWith(`${workspace}/`)) throw new Refusal("path_invalid");
    if (!statSync(folder).isDirectory()) throw new Refusal("not_a_directory");
    return folder;
  } catch (thrown) {
    if (thrown instanceof Refusal) throw thrown;
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
    if (code === "ENOENT") throw new Refusal("file_not_found");
    throw new Refusal(code === "ENOTDIR" ? "not_a_directory" : "path_invalid");
  }
}

function launch(start: StartMessage, cwd: string, pipe: OutputPipe): ChildProcess {
  const [file, args] = programOf(start);
  try {
    const child = spawn(file, args, {
      cwd,
      env: { ...start.environment, [markVariable]: String(start.channel) },
      detached: true,
      stdio: [start.input ? "pipe" : "ignore", pipe.writer, pipe.writer],
    });
    // Its end is told by `exit`; that it could not be started, by the missing pid.
    child.on("error", () => undefined);
    // Whoever closes its input does not want the rest.
    child.stdin?.on("error", () => undefined);
    return child;
  } catch {
    pipe.reader.destroy();
    throw new Refusal("command_failed_to_start");
  } finally {
    closeSync(pipe.writer);
  }
}

function programOf({ command, terminal }: StartMessage): [string, string[]] {
  if (terminal === undefined) return [shell, ["-c", command]];
  const quoted = `'${command.replaceAll("'", String.raw`'\''`)}'`;
  const size = `/usr/bin/stty rows ${terminal.rows} cols ${terminal.columns}`;
  // -q: says nothing of its own, -f: gives output at once, -e: ends as the command does.
  return ["/usr/bin/script", ["-qfec", `${size}; exec ${shell} -c ${quoted}`, "/dev/null"]];
}

/** When memory is short a command is ended before this program is. What it starts inherits that. */
function preferForOom(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
  } catch {
    // It has ended already.
  }
}

interface Output {
  readonly drained: Promise<void>;
  /** Resolves when all of it was sent that will ever come. */
  rest(): Promise<void>;
  credit(bytes: number): void;
}

function follow(wire: Wire, channel: number, pipe: OutputPipe): Output {
  const { reader } = pipe;
  const credit = forward(wire, channel, reader);
  let read = 0;
  reader.on("data", (chunk: Buffer) => void (read += chunk.length));
  reader.on("error", () => reader.destroy());
  reader.once("end", () => pipe.giveBack());
  const drained = new Promise<void>((resolve) => reader.once("close", () => resolve()));
  async function rest(): Promise<void> {
    for (let before = -1; !reader.closed;) {
      // Somebody whom another command owns has the pipe and is silent: that is no output of this command.
      if (read === before && !reader.isPaused()) reader.destroy();
      before = read;
      await within(drained, lastWordsMs);
    }
  }
  return { drained, rest, credit };
}

async function finish({ pid, output }: { pid: number; output: Output }): Promise<number> {
  await within(output.drained, lastWordsMs);
  live.delete(pid);
  const left = await endStrays(live);
  await output.rest();
  return left;
}

async function within(done: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([done, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}

/** The terminal is that of the first process below `script`, which may not be there yet. */
async function resize(pid: number, columns: number, rows: number): Promise<void> {
  for (let tries = 0; tries < 50 && live.has(pid); tries++) {
    const terminal = readProcesses().find(({ parent }) => parent === pid)?.terminal ?? 0;
    if (terminal !== 0) {
      const minor = (terminal & 0xff) | ((terminal >> 12) & 0xfff00);
      const size = ["rows", String(rows), "cols", String(columns)];
      // Waited for, so that it is not taken for a process that some command has left.
      spawnSync("/usr/bin/stty", ["-F", `/dev/pts/${minor}`, ...size], {
        stdio: "ignore",
        env: {},
        timeout: 1_000,
      });
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

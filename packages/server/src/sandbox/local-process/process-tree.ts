import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { type Clock, within } from "../../lib/clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { type Killed, killTree } from "./kill-tree.ts";
import type { RunningProcess } from "../output/running-process.ts";
import { markVariable, readStart } from "./process-table.ts";
import { createTreeRecord, type TreeRecord } from "./tree-record.ts";

/** Linux takes 128 KiB for one argument. */
const maxCommandBytes = 120_000;
/** How long output that is still on its way is waited for after the command's end, before its children are ended. */
const lastWordsMs = 100;

export interface TreeSpec {
  readonly command: string;
  /** All of its input; `open`: it comes later. Empty when absent. */
  readonly input?: Uint8Array | "open" | undefined;
  /** Folder to start in, as the operating system reaches it. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly shell: string;
  /** Begin of the exec id: `<installation>.<sandbox>`. */
  readonly markPrefix: string;
  /** Whose it is. */
  readonly deployment: string;
  /** Where the records are. */
  readonly records: string;
  readonly clock: Clock;
  readonly onOutput: (chunk: Buffer) => void;
  /** Told when processes could not be ended; the next start tries again. */
  readonly onLeft: (killed: Killed) => void;
}

/**
 * Starts a command in a session of its own. Its record is written first, so that a server that is killed at any instant
 * finds every process again (see kill-tree.ts for how).
 */
export async function startTree(spec: TreeSpec): Promise<RunningProcess> {
  if (spec.command.includes("\0"))
    throw new BerthError("command_invalid", "A command cannot contain a NUL byte.");
  if (Buffer.byteLength(spec.command) > maxCommandBytes) {
    throw new BerthError(
      "command_invalid",
      `A command can have at most ${maxCommandBytes} bytes; write a script to a file and run that.`,
    );
  }
  const execId = `${spec.markPrefix}.${randomBytes(8).toString("hex")}`;
  const record = createTreeRecord(spec.records, { execId, deployment: spec.deployment });
  let child: ChildProcess;
  try {
    child = spawnShell(spec, record);
    if (child.pid === undefined) await once(child, "spawn");
  } catch (cause) {
    record.remove();
    throw new BerthError("command_failed_to_start", "The command could not be started; try again.", {
      retryable: true,
      cause,
    });
  } finally {
    record.close();
  }
  return follow(spec, child, record);
}

function spawnShell(spec: TreeSpec, record: TreeRecord): ChildProcess {
  // The outer shell only joins stderr to stdout, so that both keep their order, and becomes the inner one.
  const child = spawn("/bin/sh", ["-c", 'exec "$@" 2>&1', "sh", spec.shell, "-c", spec.command], {
    cwd: spec.cwd,
    env: { ...spec.environment, [markVariable]: record.execId },
    detached: true,
    stdio: [spec.input === undefined ? "ignore" : "pipe", "pipe", "ignore", record.descriptor],
  });
  // Who does not read its input to the end is no error.
  child.stdin?.on("error", () => undefined);
  if (spec.input !== undefined && spec.input !== "open") child.stdin?.end(spec.input);
  if (child.pid !== undefined) record.started({ pid: child.pid, start: readStart(child.pid) });
  return child;
}

function follow(spec: TreeSpec, child: ChildProcess, record: TreeRecord): RunningProcess {
  const pid = child.pid ?? 0;
  const start = readStart(pid);
  const marked = (execId: string) => execId === record.execId;
  const killAll = () =>
    killTree({ marked, leaders: [{ pid, start, fresh: true }], since: start ?? 0 }, spec.clock);
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.stdout?.on("data", spec.onOutput);

  const ended = (async () => {
    const end = await exited;
    await within(spec.clock, lastWordsMs, () => closed);
    const killed = await killAll();
    await within(spec.clock, lastWordsMs, () => closed);
    child.stdout?.destroy();
    if (killed.left === 0) record.remove();
    else spec.onLeft(killed);
    return end;
  })();
  return {
    ended,
    async kill() {
      await killAll();
      await ended;
    },
    ...(spec.input === "open" && { write: (data: Uint8Array | null) => typeInto(child.stdin, data) }),
  };
}

/** Resolves when the process has taken it, or its buffer has; null closes its input. */
function typeInto(stdin: Writable | null, data: Uint8Array | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (failed?: Error | null) => {
      if (!failed) return resolve();
      reject(new BerthError("process_input_closed", "This process takes no input any more."));
    };
    if (stdin === null || stdin.writableEnded || stdin.destroyed) return done(new Error("closed"));
    if (data === null) stdin.end(done);
    else stdin.write(data, done);
  });
}

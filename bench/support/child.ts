import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { tellsOfFullDisk } from "../../packages/server/test/support/full-disk.ts";
import {
  unlessInterrupted,
  whenInterrupted,
} from "../../packages/server/test/support/interruption/interruption.ts";

/** A part of a bench that runs in a process of its own, so that its CPU is its own. */
export interface Child {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Options of node itself. */
  readonly execArgv?: readonly string[];
  /** All of its environment; default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** What it prints is kept for its error and not shown. */
  readonly quiet?: boolean;
}

/** How much of what a quiet child said at last stands in its error. Characters. */
const keptOutput = 1_000;
/** A child that does not end in this time is killed. */
const endMs = 10_000;

/** Starts a script that sends its port when it listens, and ends when its parent disconnects. */
export async function startChild(
  script: string,
  args: readonly string[] = [],
  { execArgv = [], env, quiet = false }: ChildOptions = {},
): Promise<Child> {
  const child = fork(script, [...args], {
    execArgv: [...execArgv],
    ...(env !== undefined && { env }),
    stdio: quiet ? ["ignore", "ignore", "pipe", "ipc"] : ["inherit", "inherit", "pipe", "ipc"],
  });
  const end = () => void child.kill("SIGKILL");
  child.once("exit", whenInterrupted({ stage: "servers", stop: end, kill: end }));
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-keptOutput);
    if (!quiet && !tellsOfFullDisk(said)) process.stderr.write(text);
  });
  child.once("close", (code) => {
    if (code !== 0 && tellsOfFullDisk(said)) throw new Error(said);
  });
  const port = await Promise.race([
    once(child, "message").then(([message]) => Number(message)),
    once(child, "exit").then(() =>
      Promise.reject(new Error(`${script} ended before it listened. ${said}`.trim())),
    ),
  ]);
  return {
    pid: pidOf(child),
    port,
    async stop() {
      await unlessInterrupted();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      const kill = setTimeout(() => child.kill("SIGKILL"), endMs);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(kill);
    },
  };
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process did not start");
  return child.pid;
}

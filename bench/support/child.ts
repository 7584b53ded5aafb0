import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A part of a bench that runs in a process of its own, so that its CPU is its own. */
export interface Child {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a script that sends its port when it listens, and ends when its parent disconnects. */
export async function startChild(script: string, args: readonly string[] = []): Promise<Child> {
  const child = fork(script, [...args], { execArgv: [] });
  const port = await Promise.race([
    once(child, "message").then(([message]) => Number(message)),
    once(child, "exit").then(() => Promise.reject(new Error(`${script} ended before it listened`))),
  ]);
  return {
    pid: pidOf(child),
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

export function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error("the process did not start");
  return child.pid;
}

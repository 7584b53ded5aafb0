import type { ChildProcess } from "node:child_process";
import { endsItsOwn, whenInterrupted } from "./interruption.ts";

/** A process that has not ended by then is killed. Milliseconds. */
const graceMs = 10_000;
/** Between signals to who ends in an orderly way only when it is told twice. Milliseconds. */
const againMs = 1_000;

interface Ownership {
  readonly stage: "servers" | "hosts";
  /** Its second SIGTERM is a request for an orderly end, too. */
  readonly askAgain?: boolean;
}

/** How a server is spawned, so that its whole group can be ended by who started it, and by nobody else. */
export const inOwnGroup = (): { readonly detached: boolean } => ({ detached: endsItsOwn() });

/** Has a process that was spawned `inOwnGroup` ended when the command is interrupted: SIGTERM, and SIGKILL to its group. */
export function ownProcess(child: ChildProcess, { stage, askAgain = false }: Ownership): void {
  const kill = killerOf(child);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const release = whenInterrupted({
    stage,
    kill,
    async stop() {
      child.kill("SIGTERM");
      const late = setTimeout(kill, graceMs);
      const again = askAgain ? setInterval(() => child.kill("SIGTERM"), againMs) : undefined;
      await exited;
      clearTimeout(late);
      clearInterval(again);
      kill();
    },
  });
  void exited.then(release);
}

/** Has a command of ours ended when the one that runs it is interrupted; it ends what it started itself. */
export function ownCommand(child: ChildProcess): void {
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const release = whenInterrupted({
    stage: "commands",
    // The terminal's Ctrl-C reached it already, and this is the same one to it.
    stop(signal) {
      child.kill(signal);
      return exited;
    },
    kill: () => void child.kill("SIGTERM"),
  });
  void exited.then(release);
}

/** Ends a process and its group, if it has one of its own. */
function killerOf(child: ChildProcess): () => void {
  const { pid } = child;
  const hasGroup = endsItsOwn();
  return () => {
    child.kill("SIGKILL");
    try {
      if (hasGroup && pid !== undefined) process.kill(-pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
}

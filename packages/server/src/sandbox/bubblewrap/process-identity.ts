import { readFileSync } from "node:fs";
import { z } from "zod";

/** Names one process for ever: a number is given out anew, but not with the same start and boot. */
export interface ProcessIdentity {
  readonly boot: string;
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat. */
  readonly start: number;
}

export const processIdentity = z.strictObject({
  boot: z.string().min(1),
  pid: z.int().positive(),
  start: z.int().nonnegative(),
});

const boot = (() => {
  let known: string | null = null;
  return () => (known ??= readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
})();

/** Null when there is no such process. */
export function identify(pid: number): ProcessIdentity | null {
  const fields = readStat(pid);
  return fields === null ? null : { boot: boot(), pid, start: Number(fields[19]) };
}

/** False when it has ended, whether or not somebody waited for it. */
export function isRunning({ boot: then, pid, start }: ProcessIdentity): boolean {
  if (then !== boot()) return false;
  const fields = readStat(pid);
  return fields !== null && fields[0] !== "Z" && fields[0] !== "X" && Number(fields[19]) === start;
}

/** Kills exactly this process, not another one that has got its number. */
export function killExactly(identity: ProcessIdentity): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, "SIGKILL");
  } catch {
    // It ended between the look and the signal, or it is another user's and no process of ours.
  }
}

/** The fields from the third (state) on. The second, the program's name in parentheses, may hold anything. */
function readStat(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}

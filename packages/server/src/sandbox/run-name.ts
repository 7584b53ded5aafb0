import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * Name of a folder that this process alone uses while it runs: boot, pid and start time name a process for ever, so that whoever comes
 * later knows whether its owner is gone.
 */
export function newRunName(): string {
  return [bootId(), process.pid, startOf(process.pid) ?? 0, randomBytes(6).toString("hex")].join(".");
}

/** Whether the process that made this name is gone; false for what is no such name. */
export function isRunGone(name: string): boolean {
  const parts = /^([0-9a-f]{8})\.(\d+)\.(\d+)\.[0-9a-f]{12}$/.exec(name);
  if (parts === null) return false;
  const [, boot, pid, start] = parts;
  if (boot !== bootId()) return true;
  // Where there is no /proc the start is 0, and only the pid can be asked for.
  return start === "0" ? !isThere(Number(pid)) : startOf(Number(pid)) !== Number(start);
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  } catch {
    return "00000000";
  }
}

/** In clock ticks since boot; null when no such process runs. */
function startOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : Number(fields[19]);
  } catch {
    return null;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

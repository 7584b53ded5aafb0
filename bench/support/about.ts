import { execFileSync } from "node:child_process";
import { loadavg } from "node:os";
import { machine } from "./machine.ts";

/** Where and when figures were taken: without it they say nothing. */
export interface About {
  readonly machine: string;
  readonly date: string;
  /** Short hash of the commit, with + when files were changed since; unknown outside of a checkout. */
  readonly commit: string;
  /** Load average of the last minute when the bench began: what else the machine did. */
  readonly load: number;
}

export function about(): About {
  return { machine: machine(), date: new Date().toISOString().slice(0, 16), commit: commit(), load: load() };
}

export function aboutLines({ machine: where, date, commit: what, load: busy }: About): string {
  return `machine: ${where}, load ${busy.toFixed(1)}\ndate: ${date}Z, commit ${what}`;
}

/** Load average of the last minute: what the machine does besides. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

function commit(): string {
  try {
    const git = (args: readonly string[]) =>
      execFileSync("git", [...args], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
    const changed = git(["status", "--porcelain", "--untracked-files=no"]) !== "";
    return `${git(["rev-parse", "--short", "HEAD"])}${changed ? "+" : ""}`;
  } catch {
    return "unknown";
  }
}

import { existsSync, readdirSync, readFileSync } from "node:fs";

/** A process that a server started: its environment names the data folder. */
export interface ToolProcess {
  readonly pid: number;
  readonly command: string;
  /** When it began, in the kernel's own unit. */
  readonly start: number;
}

/** Processes that work for a data folder now, the servers themselves left out. Empty where the system does not show them. */
export function processesOf(dataDir: string): readonly ToolProcess[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const pid = Number(name);
      const start = startOf(pid);
      if (start === null || !read(`/proc/${name}/environ`).includes(`${dataDir}/`)) return [];
      return [{ pid, start, command: read(`/proc/${name}/cmdline`).replaceAll("\0", " ").slice(0, 200) }];
    });
}

/** Kills a process, unless it has ended meanwhile. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has.
  }
}

/** When a process began; null when it has ended. */
export function startOf(pid: number): number | null {
  const stat = read(`/proc/${pid}/stat`);
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const start = Number(fields[18]);
  return state === undefined || state === "Z" || !Number.isFinite(start) ? null : start;
}

/** Empty when the process has ended meanwhile or is somebody else's. */
function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

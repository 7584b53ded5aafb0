import { readdirSync, readFileSync } from "node:fs";

/** Name of the variable by which a process keeps the number of the command that it belongs to. */
export const markVariable = "BERTH_EXEC";

/** How long leftovers are ended one by one; after that everything is ended, because something starts new ones all the time. */
const selectiveMs = 500;
const giveUpMs = 1_500;

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Device number of its terminal, 0 for none. */
  readonly terminal: number;
}

/** A command that runs, by the pid of its first process, and its number. */
export type LiveCommands = ReadonlyMap<number, number>;

/** Every process of this sandbox that runs, but its first one and this one. */
export function readProcesses(): Process[] {
  const found: Process[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === 1 || pid === process.pid) continue;
    const [state, parent, group, session, terminal] = readStat(pid);
    if (state === undefined || state === "Z" || state === "X") continue;
    found.push({
      pid,
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      terminal: Number(terminal),
    });
  }
  return found;
}

/** The fields from the third (state) on; none when it has ended. The second, in parentheses, may hold anything. */
function readStat(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ", 5);
  } catch {
    return [];
  }
}

function readMark(pid: number): number | null {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`;
    const at = environment.indexOf(`\0${markVariable}=`);
    return at === -1 ? null : Number.parseInt(environment.slice(at + markVariable.length + 2), 10);
  } catch {
    return null;
  }
}

/**
 * The processes that belong to no live command: neither below its first process, nor in a group or session of that one, nor
 * below one that is or that carries its mark.
 */
function findStrays(all: readonly Process[], live: LiveCommands): Process[] {
  if (live.size === 0) return [...all];
  const byPid = new Map(all.map((entry) => [entry.pid, entry]));
  const numbers = new Set(live.values());
  const belongs = (entry: Process) =>
    live.has(entry.pid) ||
    live.has(entry.group) ||
    live.has(entry.session) ||
    numbers.has(readMark(entry.pid) ?? Number.NaN);
  return all.filter((entry) => {
    const seen = new Set<number>();
    for (let at: Process | undefined = entry; at !== undefined; at = byPid.get(at.parent)) {
      if (seen.has(at.pid)) break;
      seen.add(at.pid);
      if (belongs(at)) return false;
    }
    return true;
  });
}

/** Ends every process that belongs to no live command, again until there is none. Returns how many would not end. */
export async function endStrays(live: LiveCommands): Promise<number> {
  const began = performance.now();
  for (;;) {
    const strays = findStrays(readProcesses(), live);
    if (strays.length === 0) return 0;
    const took = performance.now() - began;
    if (took > giveUpMs) return strays.length;
    // Of all but the caller and the first process, in one step of the kernel: nothing can start another one meanwhile.
    if (live.size === 0 || took > selectiveMs) kill(-1);
    else for (const { pid } of strays) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

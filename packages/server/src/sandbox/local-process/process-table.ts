import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Name of the environment variable that marks every process of a tree. */
export const markVariable = "BERTH_EXEC_ID";
/** The descriptor by which a process keeps its mark when it clears its environment: its tree's record file. */
const markDescriptor = 3;

export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot (field 22 of /proc/<pid>/stat): with the pid it names one process for ever. */
  readonly start: number;
}

/** A process that runs; null when there is none or only its exit status is left. */
export function readProcess(pid: number): ProcessEntry | null {
  const fields = readStat(pid);
  if (fields === null || fields[0] === "Z" || fields[0] === "X") return null;
  const [, parent, group, session] = fields;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    start: Number(fields[19]),
  };
}

/** When a process started, also of one that has just ended and was not waited for. */
export function readStart(pid: number): number | null {
  const start = readStat(pid)?.[19];
  return start === undefined ? null : Number(start);
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

/** Every running process but this one. Reading a stat never waits, so this is synchronous: 10 us per process. */
export function readProcesses(): ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || pid === 1) continue;
    const entry = readProcess(pid);
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** Exec ids that a process carries, by its environment and by the descriptor; none when it may not be asked. */
export function readMarks(pid: number): string[] {
  return [environmentMark(pid), descriptorMark(pid)].filter((mark) => mark !== null);
}

function environmentMark(pid: number): string | null {
  try {
    const environment = `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`;
    const at = environment.indexOf(`\0${markVariable}=`);
    if (at === -1) return null;
    return environment.slice(at + markVariable.length + 2).split("\0", 1)[0] ?? null;
  } catch {
    return null;
  }
}

function descriptorMark(pid: number): string | null {
  try {
    const target = readlinkSync(`/proc/${pid}/fd/${markDescriptor}`);
    const name = /\/processes\/([0-9a-z_.]+)(?: \(deleted\))?$/.exec(target);
    return name?.[1] ?? null;
  } catch {
    return null;
  }
}

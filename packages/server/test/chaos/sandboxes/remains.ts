import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** What of a data folder's sandboxes is on this machine now. */
export interface Remains {
  /** Pids of what is in a sandbox: their view of the file system or their control group says so. */
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly groups: readonly string[];
  /** Backing files of loop devices. */
  readonly devices: readonly string[];
  /** Ids of sandboxes with a folder. */
  readonly sandboxes: readonly string[];
  /** Sockets and mount points outside of the data folder. */
  readonly runtime: readonly string[];
}

/** Looks with the kernel's own tables, so that nothing is believed that a server says of itself. `ids`: all sandboxes there ever were. */
export function remainsOf(dataDir: string, ids: ReadonlySet<string>): Remains {
  const data = existsSync(dataDir) ? realpathSync(dataDir) : dataDir;
  const run = `/run/berth/${createHash("sha256").update(data).digest("hex").slice(0, 12)}`;
  const ours = (text: string) => text.includes(`${data}/`) || text.includes(`${run}/`);
  const named = (text: string) => [...ids].some((id) => text.includes(id));
  return {
    processes: pids().filter((pid) => inSandbox(pid, { run, data, named })),
    mounts: lines("/proc/self/mountinfo").filter(ours),
    groups: groupsBelow("/sys/fs/cgroup", 0).filter(named),
    devices: loopFiles().filter(ours),
    sandboxes: names(join(data, "sandbox/sandboxes")),
    runtime: names(run).filter((name) => named(name)),
  };
}

/** Every sandbox that has a folder now: it is made before anything that belongs to it. */
export const sandboxesOn = (dataDir: string): readonly string[] => names(join(dataDir, "sandbox/sandboxes"));

/** One line for each thing that is there. */
export function storyOf(remains: Remains): string {
  return Object.entries(remains)
    .flatMap(([kind, all]) => (all as readonly string[]).map((one) => `${kind}: ${one.slice(0, 200)}`))
    .join("\n");
}

export const isEmpty = (remains: Remains): boolean => storyOf(remains) === "";

interface Marks {
  readonly run: string;
  readonly data: string;
  readonly named: (text: string) => boolean;
}

/** A process of a sandbox sees the agent's file, which lies in the runtime folder; the server itself has no such mount. */
function inSandbox(pid: string, { run, data, named }: Marks): boolean {
  if (named(read(`/proc/${pid}/cgroup`))) return true;
  const view = lines(`/proc/${pid}/mountinfo`);
  return view.some(
    (line) => line.includes("/opt/berth/") && (line.includes(run) || line.includes(data) || named(line)),
  );
}

/** These and all others of the same deployment, which also had sandboxes that nobody saw. */
export function groupsBeside(groups: readonly string[]): readonly string[] {
  const prefixes = new Set(groups.flatMap((group) => /[^/]*(?=sbx_)/.exec(group)?.[0] ?? []));
  prefixes.delete("");
  if (prefixes.size === 0) return [];
  return groupsBelow("/sys/fs/cgroup", 0).filter((path) =>
    [...prefixes].some((prefix) => path.includes(`/${prefix}sbx_`)),
  );
}

function groupsBelow(folder: string, depth: number): string[] {
  if (depth > 6) return [];
  const found: string[] = [];
  for (const entry of entries(folder)) {
    if (!entry.isDirectory()) continue;
    const path = join(folder, entry.name);
    found.push(path, ...groupsBelow(path, depth + 1));
  }
  return found;
}

function loopFiles(): string[] {
  return names("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .map((name) => read(`/sys/block/${name}/loop/backing_file`).trim())
    .filter((file) => file !== "");
}

const pids = () => names("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
const lines = (file: string) => read(file).split("\n");

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // Gone meanwhile, or not there on this machine.
    return [];
  }
}

const names = (folder: string) => entries(folder).map(({ name }) => name);

/** Empty when it has gone meanwhile or is not there on this machine. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

import { mkdir, writeFile } from "node:fs/promises";
import type { ControlGroup, ControlGroups, GroupLimits } from "./control-groups.ts";
import { readField, readNow, readNumber, sandboxShare, writeIfThere, writeWeight } from "./control-groups.ts";

/** One folder for each controller in which groups may be made; several controllers may share one. */
export interface Hierarchies {
  readonly memory: string;
  readonly pids: string;
  readonly cpu: string;
  /** Only to read the processor time used; null where it is not mounted. */
  readonly cpuacct: string | null;
}

const periodUs = 100_000;
const shares = Math.round(1_024 * sandboxShare);

/** Control groups of version 1: a hierarchy for each controller. */
export function controlGroupsV1(parents: Hierarchies): ControlGroups {
  const foldersOf = (name: string) => [
    ...new Set(
      [parents.memory, parents.pids, parents.cpu, parents.cpuacct]
        .filter((parent) => parent !== null)
        .map((parent) => `${parent}/${name}`),
    ),
  ];
  return {
    version: "v1",
    foldersOf,
    async create(name, limits) {
      for (const folder of foldersOf(name)) await mkdir(folder, { recursive: true });
      await writeIfThere(`${parents.cpu}/${name}/cpu.shares`, String(shares));
      const group = openGroup(parents, name, foldersOf(name));
      await group.apply(limits);
      return group;
    },
  };
}

function openGroup(parents: Hierarchies, name: string, folders: readonly string[]): ControlGroup {
  const memory = `${parents.memory}/${name}`;
  const pids = `${parents.pids}/${name}`;
  const cpu = `${parents.cpu}/${name}`;
  const cpuacct = parents.cpuacct && `${parents.cpuacct}/${name}`;
  return {
    async add(pid) {
      await Promise.all(folders.map((folder) => writeFile(`${folder}/cgroup.procs`, String(pid))));
    },
    async apply(limits) {
      await Promise.all([
        setMemory(memory, limits.memoryBytes),
        writeFile(`${pids}/pids.max`, String(limits.pids)),
        setProcessors(cpu, limits.cpus),
      ]);
      return await readBack(memory, pids, cpu);
    },
    usedMs() {
      const ns = cpuacct === null ? "" : readNow(`${cpuacct}/cpuacct.usage`);
      return ns === "" ? null : Number(ns) / 1e6;
    },
    giveWay: (yes) => writeWeight(cpu, { file: "cpu.shares", weight: shares, idle: yes }),
    async metrics() {
      const cpuNs = cpuacct === null ? null : await readNumber(`${cpuacct}/cpuacct.usage`);
      return {
        memoryBytes: await readNumber(`${memory}/memory.usage_in_bytes`),
        memoryPeakBytes: await readNumber(`${memory}/memory.max_usage_in_bytes`),
        cpuMs: cpuNs === null ? null : Math.round(cpuNs / 1e6),
        pids: await readNumber(`${pids}/pids.current`),
        oomKills: await readField(`${memory}/memory.oom_control`, "oom_kill"),
      };
    },
  };
}

/** Memory and swap together are limited to the same, so there is no swap; that limit may never be below memory's alone. */
async function setMemory(folder: string, bytes: number): Promise<void> {
  const together = `${folder}/memory.memsw.limit_in_bytes`;
  const before = await readNumber(together);
  if (before !== null && before < bytes) await writeFile(together, String(bytes));
  await writeFile(`${folder}/memory.limit_in_bytes`, String(bytes));
  if (!(await writeIfThere(together, String(bytes)))) await writeIfThere(`${folder}/memory.swappiness`, "0");
}

async function setProcessors(folder: string, cpus: number): Promise<void> {
  await writeFile(`${folder}/cpu.cfs_period_us`, String(periodUs));
  await writeFile(`${folder}/cpu.cfs_quota_us`, String(Math.max(1_000, Math.round(cpus * periodUs))));
}

async function readBack(memory: string, pids: string, cpu: string): Promise<GroupLimits> {
  const [memoryBytes, most, quota, period] = await Promise.all([
    readNumber(`${memory}/memory.limit_in_bytes`),
    readNumber(`${pids}/pids.max`),
    readNumber(`${cpu}/cpu.cfs_quota_us`),
    readNumber(`${cpu}/cpu.cfs_period_us`),
  ]);
  return {
    memoryBytes: memoryBytes ?? Number.POSITIVE_INFINITY,
    pids: most ?? Number.POSITIVE_INFINITY,
    cpus: quota === null || period === null || quota < 0 ? Number.POSITIVE_INFINITY : quota / period,
  };
}

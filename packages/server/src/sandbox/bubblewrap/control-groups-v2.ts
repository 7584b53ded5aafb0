import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { ControlGroup, ControlGroups, GroupLimits } from "./control-groups.ts";
import { readField, readNow, readNumber, sandboxShare, writeIfThere, writeWeight } from "./control-groups.ts";

const periodUs = 100_000;
const weight = Math.round(100 * sandboxShare);

/** Control groups of version 2, in a folder whose `cgroup.subtree_control` has memory, pids and cpu. */
export function controlGroupsV2(parent: string): ControlGroups {
  return {
    version: "v2",
    foldersOf: (name) => [`${parent}/${name}`],
    async create(name, limits) {
      const folder = `${parent}/${name}`;
      await mkdir(folder, { recursive: true });
      await writeIfThere(`${folder}/memory.swap.max`, "0");
      await writeIfThere(`${folder}/cpu.weight`, String(weight));
      // memory.oom.group stays 0: what needs more memory is ended, and the sandbox goes on with the rest, as in version 1.
      const group = openGroup(folder);
      await group.apply(limits);
      return group;
    },
  };
}

function openGroup(folder: string): ControlGroup {
  return {
    add: (pid) => writeFile(`${folder}/cgroup.procs`, String(pid)),
    async apply({ memoryBytes, pids, cpus }) {
      await writeFile(`${folder}/memory.max`, String(memoryBytes));
      await writeFile(`${folder}/pids.max`, String(pids));
      await writeFile(`${folder}/cpu.max`, `${Math.max(1_000, Math.round(cpus * periodUs))} ${periodUs}`);
      return await readBack(folder);
    },
    usedMs() {
      const us = /^usage_usec (\d+)$/m.exec(readNow(`${folder}/cpu.stat`))?.[1];
      return us === undefined ? null : Number(us) / 1_000;
    },
    giveWay: (yes) => writeWeight(folder, { file: "cpu.weight", weight, idle: yes }),
    async metrics() {
      const cpuUs = await readField(`${folder}/cpu.stat`, "usage_usec");
      return {
        memoryBytes: await readNumber(`${folder}/memory.current`),
        memoryPeakBytes: await readNumber(`${folder}/memory.peak`),
        cpuMs: cpuUs === null ? null : Math.round(cpuUs / 1_000),
        pids: await readNumber(`${folder}/pids.current`),
        oomKills: await readField(`${folder}/memory.events`, "oom_kill"),
      };
    },
  };
}

async function readBack(folder: string): Promise<GroupLimits> {
  const [quota = "max", period = String(periodUs)] = (await readFile(`${folder}/cpu.max`, "utf8"))
    .trim()
    .split(" ");
  return {
    memoryBytes: (await readNumber(`${folder}/memory.max`)) ?? Number.POSITIVE_INFINITY,
    pids: (await readNumber(`${folder}/pids.max`)) ?? Number.POSITIVE_INFINITY,
    cpus: quota === "max" ? Number.POSITIVE_INFINITY : Number(quota) / Number(period),
  };
}

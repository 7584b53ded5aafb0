import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { controlGroupsV1 } from "./control-groups-v1.ts";
import { controlGroupsV2 } from "./control-groups-v2.ts";
import { removeGroup } from "./control-groups.ts";

const limits = { memoryBytes: 512 * 1024 * 1024, cpus: 0.5, pids: 128 };

/** Folders that have the kernel's file names: they keep what is written, and limit nothing. */
describe("the files of control groups", () => {
  let top: string;
  beforeEach(() => (top = mkdtempSync(`${tmpdir()}/berth-groups-`)));
  afterEach(() => rmSync(top, { recursive: true }));
  const read = (path: string) => readFileSync(`${top}/${path}`, "utf8");

  it("of version 2 hold memory without swap, processes and processor time, and end no more than what needs more memory", async () => {
    mkdirSync(`${top}/sbx`);
    writeFileSync(`${top}/sbx/memory.swap.max`, "max");
    writeFileSync(`${top}/sbx/memory.oom.group`, "0");
    writeFileSync(`${top}/sbx/cpu.weight`, "100");
    const group = await controlGroupsV2(top).create("sbx", limits);
    expect(read("sbx/memory.max")).toBe("536870912");
    expect(read("sbx/memory.swap.max")).toBe("0");
    expect(read("sbx/cpu.weight")).toBe("50");
    expect(read("sbx/memory.oom.group")).toBe("0");
    expect(read("sbx/pids.max")).toBe("128");
    expect(read("sbx/cpu.max")).toBe("50000 100000");
    await group.add(4_711);
    expect(read("sbx/cgroup.procs")).toBe("4711");
    expect(await group.apply({ ...limits, cpus: 2, pids: 9 })).toEqual({ ...limits, cpus: 2, pids: 9 });
  });

  it("of version 2 tell use, peak, processor time and kills, and nothing where the kernel is older", async () => {
    const group = await controlGroupsV2(top).create("sbx", limits);
    const none = { memoryBytes: null, memoryPeakBytes: null, cpuMs: null, pids: null, oomKills: null };
    expect(await group.metrics()).toEqual(none);
    writeFileSync(`${top}/sbx/memory.current`, "1000\n");
    writeFileSync(`${top}/sbx/memory.peak`, "2000\n");
    writeFileSync(`${top}/sbx/cpu.stat`, "usage_usec 1234567\nuser_usec 1\n");
    writeFileSync(`${top}/sbx/pids.current`, "3\n");
    writeFileSync(`${top}/sbx/memory.events`, "low 0\noom 7\noom_kill 5\noom_group_kill 1\n");
    const told = { memoryBytes: 1_000, memoryPeakBytes: 2_000, cpuMs: 1_235, pids: 3, oomKills: 5 };
    expect(await group.metrics()).toEqual(told);
  });

  it("of version 1 are a folder for each controller, and one for several that are mounted together", async () => {
    for (const name of ["memory", "pids", "cpu,cpuacct/sbx"])
      mkdirSync(`${top}/${name}`, { recursive: true });
    writeFileSync(`${top}/cpu,cpuacct/sbx/cpu.shares`, "1024");
    const cpu = `${top}/cpu,cpuacct`;
    const groups = controlGroupsV1({ memory: `${top}/memory`, pids: `${top}/pids`, cpu, cpuacct: cpu });
    expect(groups.foldersOf("sbx")).toEqual([`${top}/memory/sbx`, `${top}/pids/sbx`, `${cpu}/sbx`]);
    const group = await groups.create("sbx", limits);
    expect(read("memory/sbx/memory.limit_in_bytes")).toBe("536870912");
    expect(read("pids/sbx/pids.max")).toBe("128");
    expect(read("cpu,cpuacct/sbx/cpu.shares")).toBe("512");
    expect(read("cpu,cpuacct/sbx/cpu.cfs_quota_us")).toBe("50000");
    expect(await group.apply({ ...limits, memoryBytes: 4_096 })).toEqual({ ...limits, memoryBytes: 4_096 });
  });

  it("of version 1 raise the limit of memory with swap first, which may never be the lower one", async () => {
    for (const name of ["memory/sbx", "pids", "cpu"]) mkdirSync(`${top}/${name}`, { recursive: true });
    writeFileSync(`${top}/memory/sbx/memory.memsw.limit_in_bytes`, "1000");
    const groups = controlGroupsV1({
      memory: `${top}/memory`,
      pids: `${top}/pids`,
      cpu: `${top}/cpu`,
      cpuacct: null,
    });
    await groups.create("sbx", limits);
    expect(read("memory/sbx/memory.memsw.limit_in_bytes")).toBe("536870912");
  });

  it("tell what they took at once, and make a group one that others go before, or one with its weight again", async () => {
    for (const name of ["memory", "pids", "cpu/sbx"]) mkdirSync(`${top}/${name}`, { recursive: true });
    const cpu = `${top}/cpu`;
    const one = controlGroupsV1({ memory: `${top}/memory`, pids: `${top}/pids`, cpu, cpuacct: cpu });
    writeFileSync(`${cpu}/sbx/cpu.shares`, "1024");
    const groups = [
      await one.create("sbx", limits),
      await controlGroupsV2(top).create("two", limits),
    ] as const;
    expect(groups.map((group) => group.usedMs())).toEqual([null, null]);
    writeFileSync(`${cpu}/sbx/cpuacct.usage`, "1500000\n");
    writeFileSync(`${top}/two/cpu.stat`, "nr_periods 7\nusage_usec 2500\n");
    expect(groups.map((group) => group.usedMs())).toEqual([1.5, 2.5]);
    writeFileSync(`${top}/two/cpu.weight`, "100");
    const said = () => [read("cpu/sbx/cpu.shares"), read("two/cpu.weight")];
    // An older kernel: by the least weight.
    for (const group of groups) group.giveWay(true);
    expect(said()).toEqual(["2", "2"]);
    for (const group of groups) group.giveWay(false);
    expect(said()).toEqual(["512", "50"]);
    for (const folder of [`${cpu}/sbx`, `${top}/two`]) writeFileSync(`${folder}/cpu.idle`, "0");
    for (const group of groups) group.giveWay(true);
    expect([read("cpu/sbx/cpu.idle"), read("two/cpu.idle"), ...said()]).toEqual(["1", "1", "512", "50"]);
    for (const group of groups) group.giveWay(false);
    expect([read("cpu/sbx/cpu.idle"), read("two/cpu.idle"), ...said()]).toEqual(["0", "0", "512", "50"]);
  });

  it("are removed once, and none is as good as removed", async () => {
    mkdirSync(`${top}/a`);
    await removeGroup([`${top}/a`, `${top}/b`]);
    await removeGroup([`${top}/a`]);
  });
});

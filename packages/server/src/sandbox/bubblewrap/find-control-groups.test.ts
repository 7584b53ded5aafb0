import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findControlGroups } from "./find-control-groups.ts";

const all = "cpuset cpu io memory pids";

/** Folders that have the kernel's file names: what is written there has no effect. */
describe("the control groups of version 2 that a server finds", () => {
  let top: string;
  beforeEach(() => (top = mkdtempSync(`${tmpdir()}/berth-found-`)));
  afterEach(() => rmSync(top, { recursive: true }));

  function group(path: string, controllers: string, enabled: string, processes = ""): void {
    mkdirSync(`${top}${path}`, { recursive: true });
    writeFileSync(`${top}${path}/cgroup.controllers`, `${controllers}\n`);
    writeFileSync(`${top}${path}/cgroup.subtree_control`, `${enabled}\n`);
    writeFileSync(`${top}${path}/cgroup.procs`, processes);
  }
  const find = (own: string, more: { isRoot?: boolean; root?: string } = {}) => {
    const mounts = `30 23 0:26 ${more.root ?? "/"} ${top} rw,nosuid - cgroup2 cgroup2 rw\n`;
    return findControlGroups({ mounts, own: `0::${own}\n`, isRoot: more.isRoot ?? false });
  };
  const read = (path: string) => readFileSync(`${top}${path}`, "utf8").trim();
  const folderOf = async (found: ReturnType<typeof find>) => (await found).groups?.foldersOf("x");

  it("are in the group that was given to it, which it leaves for one of its own", async () => {
    group("/service", all, "", `${process.pid}\n`);
    expect(await folderOf(find("/service"))).toEqual([`${top}/service/x`]);
    expect(read("/service/berth-server/cgroup.procs")).toBe(String(process.pid));
    expect(read("/service/cgroup.subtree_control")).toBe("+memory +pids +cpu");
  });

  it("are the same when it looks again, and for what it has started", async () => {
    group("/service", all, "memory pids cpu");
    group("/service/berth-server", "memory pids cpu", "", `${process.pid}\n`);
    expect(await folderOf(find("/service/berth-server"))).toEqual([`${top}/service/x`]);
    expect(read("/service/berth-server/cgroup.subtree_control")).toBe("");
    group("", all, "memory pids cpu");
    expect(await folderOf(find("/berth-server"))).toEqual([`${top}/x`]);
  });

  it("are beside all others when root was given none", async () => {
    group("", all, "memory pids");
    group("/system.slice/berth.service", "memory pids", "", `${process.pid}\n`);
    group("/berth", all, "");
    const root = { isRoot: true };
    expect(await folderOf(find("/system.slice/berth.service", root))).toEqual([`${top}/berth/x`]);
    expect(read("/cgroup.subtree_control")).toBe("+memory +pids +cpu");
    expect(read("/berth/cgroup.subtree_control")).toBe("+memory +pids +cpu");
    // It stays where it is.
    expect(read("/system.slice/berth.service/cgroup.procs")).toBe(String(process.pid));
  });

  it("are not where the machine has them in version 1", async () => {
    group("", "", "");
    group("/service", "", "");
    expect((await find("/service", { isRoot: true })).groups).toBe(null);
    expect(existsSync(`${top}/berth`)).toBe(false);
  });

  it("are none, and nothing is touched, for others and in containers that were given none", async () => {
    group("", all, "memory pids");
    group("/system.slice/berth.service", "memory pids", "");
    const found = await find("/system.slice/berth.service");
    expect(found).toMatchObject({ groups: null, reason: expect.stringContaining("has no cpu controller") });
    const inside = await find("/box/service", { isRoot: true, root: "/box" });
    expect(inside.groups).toBe(null);
    expect(read("/cgroup.subtree_control")).toBe("memory pids");
  });
});

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { useWorkspaces, workspaceRef } from "../../../test/support/sandbox/workspace-rig.ts";
import { mountPoints } from "./mount-table.ts";

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const limits = { diskBytes: 32 * mebibyte, inodes: 500 };
const bytes = (text: string) => new TextEncoder().encode(text);
const isRoot = process.getuid?.() === 0;
const rig = useWorkspaces();

/** Bytes that a folder takes on the real disk. */
async function realBytes(path: string): Promise<number> {
  return Number((await run("du", ["-sk", path])).stdout.split("\t")[0]) * 1024;
}

describe.runIf(isRoot)("a workspace that is an image", () => {
  it("SBX-10 takes so many bytes and no more, and gives all back when it is removed", async () => {
    const workspaces = await rig.open("image");
    const ref = workspaceRef();
    const before = await realBytes(rig.folder);
    await workspaces.create(ref, limits);
    const files = await workspaces.open(ref);
    const piece = new Uint8Array(4 * mebibyte).fill(1);
    const fill = async () => {
      for (let at = 0; at < 20; at++) await files?.write(`f${at}`, piece);
    };
    await expect(fill()).rejects.toMatchObject({ code: "workspace_full" });
    const usage = await workspaces.usage(ref);
    expect(usage?.bytes).toBeGreaterThan(limits.diskBytes * 0.8);
    expect(usage?.bytes).toBeLessThan(limits.diskBytes * 1.1);
    await files?.remove("f0");
    await files?.write("small", bytes("there is room again"));
    expect(await workspaces.remove(ref)).toBe(true);
    expect((await realBytes(rig.folder)) - before).toBeLessThan(mebibyte);
  });

  it("SBX-10 takes so many files and no more", async () => {
    const workspaces = await rig.open("image");
    const ref = workspaceRef();
    await workspaces.create(ref, { ...limits, inodes: 100 });
    const held = await workspaces.hold(ref.id, { uid: 200_001 });
    const made = run("/bin/sh", [
      "-c",
      `cd ${held.path} && i=0; while echo x >f$i; do i=$((i+1)); done 2>/dev/null; ls | wc -l`,
    ]);
    const count = Number((await made).stdout);
    expect(count).toBeGreaterThanOrEqual(90);
    expect(count).toBeLessThanOrEqual(140);
    expect((await held.usage()).files).toBe(count);
    await held.release();
  });

  it("belongs to the user of its sandbox, files of the server too, and changes hands when another comes", async () => {
    const workspaces = await rig.open("image");
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    expect(await workspaces.ownerOf(ref.id)).toBeNull();
    const first = await workspaces.hold(ref.id, { uid: 200_001 });
    const files = await workspaces.open(ref);
    await files?.write("a/b/c", bytes("x"));
    await run("ln", ["-s", "/etc", join(first.path, "link")]);
    const users = async (path: string) =>
      await Promise.all(
        ["", "a", "a/b", "a/b/c", "link"].map(async (name) => (await lstat(join(path, name))).uid),
      );
    expect(await users(first.path)).toEqual([200_001, 200_001, 200_001, 200_001, 0]);
    await expect(workspaces.hold(ref.id, { uid: 200_002 })).rejects.toMatchObject({ code: "sandbox_busy" });
    await expect(workspaces.remove(ref)).rejects.toMatchObject({ code: "sandbox_busy" });
    const second = await workspaces.hold(ref.id, { uid: 200_001 });
    await first.release();
    await first.release();
    await expect(workspaces.remove(ref)).rejects.toMatchObject({ code: "sandbox_busy" });
    await second.release();
    expect(await workspaces.ownerOf(ref.id)).toBe(200_001);
    const third = await workspaces.hold(ref.id, { uid: 200_002 });
    expect(await users(third.path)).toEqual([200_002, 200_002, 200_002, 200_002, 200_002]);
    expect((await stat("/etc")).uid).toBe(0);
    await third.release();
  });

  it("is mounted only while it is used and a little longer, without devices and programs of other users", async () => {
    const clock = createManualClock();
    const workspaces = await rig.open("image", clock);
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    const mounted = () => mountPoints().filter((at) => at.endsWith(ref.id));
    expect(mounted()).toHaveLength(1);
    const held = await workspaces.hold(ref.id, { uid: null });
    expect(mounted()).toHaveLength(1);
    const { stdout } = await run("findmnt", ["-no", "OPTIONS", mounted()[0] ?? ""]);
    expect(stdout).toContain("nosuid,nodev");
    await clock.advance(3_600_000);
    expect(mounted()).toHaveLength(1);
    await held.release();
    await clock.advance(14_000);
    expect(mounted()).toHaveLength(1);
    await clock.advance(2_000);
    await expect.poll(mounted).toEqual([]);
  });

  it("is made and mounted in advance once there was one, of the same limits, and is nobody's until it is taken", async () => {
    const clock = createManualClock();
    const workspaces = await rig.open("image", clock);
    const spares = () =>
      mountPoints().filter((at) => at.startsWith(`${rig.folder}/`) && at.includes("/spare-"));
    const make = async (given = limits) => {
      const ref = workspaceRef();
      await workspaces.create(ref, given);
      return ref;
    };
    const first = await make();
    await (await workspaces.open(first))?.write("mine", bytes("first"));
    expect(spares()).toEqual([]);
    await clock.advance(250);
    await expect.poll(spares).toHaveLength(1);
    const [at = ""] = spares();
    expect(await workspaces.list("local")).toEqual([first.id]);

    // It is mounted a moment before it may be taken.
    let second = await make();
    let held = await workspaces.hold(second.id, { uid: 200_001, limits });
    while (!held.path.includes("/spare-")) {
      await held.release();
      second = await make();
      held = await workspaces.hold(second.id, { uid: 200_001, limits });
    }
    expect(held.path).toBe(`${at}/files`);
    expect(await readdir(held.path)).toEqual([]);
    await (await workspaces.open(second))?.write("mine", bytes("second"));
    await held.release();
    // Unmounted like every other, and mounted again where others are.
    await clock.advance(16_000);
    await expect.poll(spares).not.toContain(at);
    await expect.poll(spares).toHaveLength(1);
    expect(await (await workspaces.open(second))?.read("mine")).toEqual(bytes("second"));
    expect(await (await workspaces.open(first))?.read("mine")).toEqual(bytes("first"));

    // It is not taken for other limits, and gives way to one of those that are asked for now.
    const [unused] = spares();
    const larger = { ...limits, inodes: 600 };
    const third = await make(larger);
    expect((await workspaces.hold(third.id, { uid: null, limits: larger })).path).not.toContain("/spare-");
    await clock.advance(250);
    await expect.poll(spares).not.toContain(unused);
    await expect.poll(spares).toHaveLength(1);
  });

  it("grows with its limit while nobody holds it", async () => {
    const workspaces = await rig.open("image");
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    const files = await workspaces.open(ref);
    await files?.write("kept", bytes("kept"));
    const larger = { diskBytes: 64 * mebibyte, inodes: 500 };
    const held = await workspaces.hold(ref.id, { uid: null, limits: larger });
    await run("/bin/sh", ["-c", `head -c 56M /dev/zero > ${held.path}/large`]);
    expect(await held.limit({ ...larger, diskBytes: 128 * mebibyte })).toEqual(larger);
    await held.release();
    expect(await files?.read("kept")).toEqual(bytes("kept"));
  });

  it("is made whole after the machine went down with it mounted", async () => {
    const workspaces = await rig.open("image");
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    const files = await workspaces.open(ref);
    await files?.write("kept", bytes("kept"));
    // What a disk holds at the moment of a power cut: the superblock says that it is mounted.
    const image = join(rig.dataDir, "workspaces", `${ref.id}.img`);
    await run("sync");
    const cut = workspaceRef();
    await run("cp", ["--sparse=always", image, join(rig.dataDir, "workspaces", `${cut.id}.img`)]);
    expect(await (await workspaces.open(cut))?.read("kept")).toEqual(bytes("kept"));
    await workspaces.close();
    await run("e2fsck", ["-fn", join(rig.dataDir, "workspaces", `${cut.id}.img`)]);
  });

  it("SCH-04 is unmounted by the next server's sweep when its own was killed", async () => {
    const ref = workspaceRef();
    const program = `
      const [, modules, dataDir, id] = process.argv;
      const { createWorkspaces } = await import(modules + "workspaces/workspaces.ts");
      const { findQuota } = await import(modules + "workspaces/find-quota.ts");
      const { createSearch } = await import(modules + "files/search.ts");
      const { systemClock: clock } = await import(modules + "../lib/clock.ts");
      const quota = await findQuota(dataDir);
      const workspaces = createWorkspaces({ dataDir, quota, clock, search: createSearch({ clock }), warn() {} });
      await workspaces.create({ id, host: "local" }, ${JSON.stringify(limits)});
      await workspaces.hold(id, { uid: 200001 });
      const { mountPoints } = await import(modules + "workspaces/mount-table.ts");
      // The one that is made in advance.
      while (mountPoints().filter((at) => at.startsWith(dataDir)).length < 2) await new Promise((done) => setTimeout(done, 20));
      console.log("held");
      setInterval(() => {}, 1000);`;
    const modules = new URL("..", import.meta.url).href;
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", program, modules, rig.dataDir, ref.id],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    if (child.stdout !== null) await once(child.stdout, "data");
    const workspaces = await rig.open("image");
    const mounted = () => mountPoints().filter((at) => at.startsWith(rig.folder));
    expect(await workspaces.sweep()).toBe(0);
    expect(mounted()).toHaveLength(2);
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(await workspaces.sweep()).toBeGreaterThan(0);
    expect(mounted()).toEqual([]);
    expect(await workspaces.sweep()).toBe(0);
    expect(await readdir(join(rig.dataDir, "sandbox/workspaces/runs"))).toHaveLength(1);
    expect(await workspaces.list("local")).toEqual([ref.id]);
  });
});

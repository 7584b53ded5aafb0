import { execFile } from "node:child_process";
import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { createManualClock, type ManualClock } from "../../../test/support/manual-clock.ts";
import { useWorkspaces, workspaceRef } from "../../../test/support/sandbox/workspace-rig.ts";
import { findQuota } from "./find-quota.ts";
import type { HostWorkspaces } from "./host-workspaces.ts";

const run = promisify(execFile);
const mebibyte = 1024 * 1024;
const limits = { diskBytes: 32 * mebibyte, inodes: 500 };
const bytes = (text: string) => new TextEncoder().encode(text);
const isRoot = process.getuid?.() === 0;
const rig = useWorkspaces();

it("says why workspaces are only watched, or that they are images", async () => {
  const found = await findQuota(rig.dataDir);
  const kind = isRoot ? "image" : "watched";
  expect(found.kind).toBe(kind);
  expect(found.reason ?? "").toMatch(isRoot ? /^$/ : /not root/);
  expect(isRoot ? await readdir(rig.dataDir) : []).toEqual([]);
});

describe("a workspace that is watched", () => {
  let clock: ManualClock;
  let workspaces: HostWorkspaces;
  beforeEach(async () => {
    clock = createManualClock();
    workspaces = await rig.open("watched", clock);
  });

  it("SBX-10 tells when it is over its limit, each time that it is measured", async () => {
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    let full = 0;
    const held = await workspaces.hold(ref.id, { uid: null, limits, onLook: () => () => full++ });
    await writeFile(join(held.path, "large"), new Uint8Array(33 * mebibyte).fill(1));
    await until(() => full >= 2);
    await rm(join(held.path, "large"));
    await held.limit({ ...limits, inodes: 20 });
    const before = full;
    for (let at = 0; at < 25; at++) await writeFile(join(held.path, `f${at}`), "");
    await until(() => full > before + 1);
    await held.release();
    expect(clock.timers()).toBeLessThanOrEqual(1);
  });

  it("is removed when the calls that use it are over, whoever made them", async () => {
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    await (await workspaces.open(ref))?.write("file", bytes("x"));
    // Each uses it from the moment on that it is called.
    const calls = Array.from({ length: 5 }, () => workspaces.usage(ref));
    const removed = workspaces.remove(ref);
    expect((await Promise.all(calls)).map((usage) => usage?.files)).toEqual([1, 1, 1, 1, 1]);
    expect(await removed).toBe(true);
  });

  it("SBX-10 takes no writes of the server beyond its limit", async () => {
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    const files = await workspaces.open(ref);
    await files?.write("half", new Uint8Array(16 * mebibyte).fill(1));
    await expect(files?.write("much", new Uint8Array(17 * mebibyte))).rejects.toMatchObject({
      code: "workspace_full",
    });
    await files?.remove("half");
    await clock.advance(60_000);
    await files?.write("much", new Uint8Array(17 * mebibyte));
    expect((await workspaces.usage(ref))?.files).toBe(1);
  });

  it.runIf(process.platform === "linux")("SBX-10 measures what no text names", async () => {
    const ref = workspaceRef();
    await workspaces.create(ref, limits);
    const held = await workspaces.hold(ref.id, { uid: null });
    const script = `chdir "${held.path}"; mkdir "d\\xff"; for ("d\\xff/x", "\\xff") { open(F, ">$_"); print F "x" x 9000000; close F }`;
    await run("perl", ["-e", script]);
    const usage = await held.usage();
    expect(usage.files).toBe(3);
    expect(usage.bytes).toBeGreaterThan(18_000_000);
    await held.release();
    expect(await workspaces.remove(ref)).toBe(true);
    expect(await readdir(join(rig.dataDir, "workspaces"))).toEqual([]);
  });

  // To make 3,000 folders takes a busy disk 10 s.
  it(
    "SBX-10 measures what is deep, wide, locked or linked, without leaving it",
    { timeout: 60_000 },
    async () => {
      const ref = workspaceRef();
      await workspaces.create(ref, limits);
      const held = await workspaces.hold(ref.id, { uid: null });
      const making = performance.now();
      await run("perl", [
        "-e",
        `chdir "${held.path}"; symlink "/", "way"; mkdir "locked"; open(F, ">locked/f"); close F; link "locked/f", "hard"; chmod 0, "locked";
       mkdir "deep"; chdir "deep"; for (1..3000) { mkdir "d"; chdir "d" or die } open(F, ">last"); print F "x" x 9000000; close F;`,
      ]);
      const madeMs = performance.now() - making;
      // It stops where it knows enough.
      expect((await held.usage()).files).toBe(501);
      await workspaces.create(ref, { ...limits, inodes: 10_000 });
      const usage = await held.usage();
      // way, locked and its file, its other name, deep and what is in it, last.
      expect(usage.files).toBe(3_006);
      expect(usage.bytes).toBeGreaterThan(9_000_000);
      expect(usage.bytes).toBeLessThan(30_000_000);
      // It left no door open.
      expect((await stat(join(held.path, "locked"))).mode & 0o777).toBe(0);
      await held.release();
      const began = performance.now();
      expect(await workspaces.remove(ref)).toBe(true);
      expect(performance.now() - began).toBeLessThan(Math.max(5_000, 2 * madeMs));
      expect(await readdir(join(rig.dataDir, "workspaces"))).toEqual([]);
    },
  );

  async function until(reached: () => boolean): Promise<void> {
    await expect
      .poll(
        async () => {
          await clock.advance(100_000);
          return reached();
        },
        { timeout: 30_000 },
      )
      .toBe(true);
  }
});

it("finds plain folders where images are made now, and holds them to their limits", async () => {
  const former = await rig.open("watched");
  const ref = workspaceRef();
  await former.create(ref, limits);
  await (await former.open(ref))?.write("kept", bytes("kept"));
  await former.close();
  const workspaces = await rig.open(isRoot ? "image" : "watched");
  expect(await workspaces.list("local")).toEqual([ref.id]);
  const files = await workspaces.open(ref);
  expect(await files?.read("kept")).toEqual(bytes("kept"));
  await expect(files?.write("large", new Uint8Array(32 * mebibyte))).rejects.toMatchObject({
    code: "workspace_full",
  });
});

it("makes a workspace once, however many ask at once", async () => {
  const workspaces = await rig.open(isRoot ? "image" : "watched");
  const ref = workspaceRef();
  await Promise.all(Array.from({ length: 5 }, () => workspaces.create(ref, limits)));
  const others = Array.from({ length: 5 }, workspaceRef);
  await Promise.all(others.map((other) => workspaces.create(other, limits)));
  expect((await workspaces.list("local")).toSorted()).toEqual(
    [ref, ...others].map(({ id }) => id).toSorted(),
  );
});

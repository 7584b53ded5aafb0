import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { useWorkspaces } from "../../../test/support/sandbox/workspace-rig.ts";
import { newRunName } from "../run-name.ts";
import { findQuota } from "./find-quota.ts";
import { mountPoints } from "./mount-table.ts";

const run = promisify(execFile);
const rig = useWorkspaces();
const isRoot = process.getuid?.() === 0;

/** A server that is killed while it tries: its image stays mounted. */
const killed = `
  const [, modules, dataDir] = process.argv;
  const { newRunName } = await import(modules + "run-name.ts");
  const { mkdirSync, realpathSync } = await import("node:fs");
  const { execFileSync } = await import("node:child_process");
  const folder = realpathSync(dataDir) + "/.quota-" + newRunName();
  mkdirSync(folder + "/at", { recursive: true });
  execFileSync("truncate", ["-s", "2M", folder + "/image"]);
  execFileSync("mkfs.ext4", ["-q", "-O", "^has_journal", folder + "/image"]);
  execFileSync("mount", ["-o", "loop", folder + "/image", folder + "/at"]);
  console.log("mounted");
  setInterval(() => {}, 1000);`;

it.runIf(isRoot)(
  "SCH-04 removes what was left by one that was killed while it tried, and nobody else's",
  async () => {
    await mkdir(rig.dataDir);
    const modules = new URL("..", import.meta.url).href;
    const child = spawn(process.execPath, ["--input-type=module", "-e", killed, modules, rig.dataDir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (child.stdout !== null) await once(child.stdout, "data");
    const mounted = () => mountPoints().filter((at) => at.startsWith(rig.dataDir));
    // Of one that lives, of ourselves, and of nobody that we know.
    const ours = `.quota-${newRunName()}`;
    for (const name of [ours, ".quota-else"]) await mkdir(join(rig.dataDir, name));
    await writeFile(join(rig.dataDir, ours, "image"), "kept");
    expect((await findQuota(rig.dataDir)).kind).toBe("image");
    expect(mounted()).toHaveLength(1);
    expect(await readdir(rig.dataDir)).toHaveLength(3);

    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    expect(mounted()).toHaveLength(1);
    expect((await findQuota(rig.dataDir)).kind).toBe("image");
    expect(mounted()).toEqual([]);
    expect((await readdir(rig.dataDir)).toSorted()).toEqual([ours, ".quota-else"].toSorted());
    // The device goes with its mount.
    await expect.poll(async () => (await run("losetup", ["-a"])).stdout).not.toContain(rig.dataDir);
  },
);

it.runIf(isRoot)("leaves nothing where the data folder is reached by a link", async () => {
  await mkdir(rig.dataDir);
  const link = join(rig.folder, "link");
  await symlink(rig.dataDir, link);
  expect((await findQuota(link)).kind).toBe("image");
  expect(mountPoints().filter((at) => at.startsWith(rig.folder))).toEqual([]);
  expect(await readdir(rig.dataDir)).toEqual([]);
});

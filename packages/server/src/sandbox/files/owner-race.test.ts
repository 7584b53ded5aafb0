import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { createFiles } from "./files.ts";
import { createSearch, type Search } from "./search.ts";

const owner = 64_001;
const rounds = 400;

/** Writes into each folder in the moment that it is there, and tells how often it was not let. */
const owning = `
import os, sys
refused = 0
print("ready", flush=True)
for round in range(int(sys.argv[1])):
    for path in (f"{round}", f"{round}/sub"):
        while True:
            try: os.mkdir(f"{path}/mine"); break
            except FileNotFoundError: continue
            except FileExistsError: break
            except PermissionError: refused += 1; break
print(refused, flush=True)
`;

let folder: string;
let workspace: string;
let search: Search;
let child: ChildProcess | null;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "berth-owner-")));
  workspace = join(folder, "workspace");
  for (const path of [workspace, join(folder, "staging"), join(folder, "trash")]) await mkdir(path);
  await chown(workspace, owner, owner);
  await chown(folder, owner, owner);
  search = createSearch({ clock: systemClock });
  child = null;
});
afterEach(async () => {
  if (child !== null && child.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await search.close();
  await rm(folder, { recursive: true, force: true });
});

/** How often the owner of a workspace was refused a folder that the server made there. */
async function refusals(make: (path: string) => Promise<unknown>): Promise<number> {
  child = spawn("python3", ["-c", owning, String(rounds)], {
    cwd: workspace,
    stdio: ["ignore", "pipe", "inherit"],
    uid: owner,
    gid: owner,
  });
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = once(child, "close");
  await expect.poll(() => said).toContain("ready");
  for (let round = 0; round < rounds; round++) await make(`${round}/sub/file`);
  await ended;
  return Number(said.split("\n")[1]);
}

const isRoot = process.getuid?.() === 0;

it.runIf(isRoot)(
  "SBX-05 makes folders that are their owner's from the first moment on",
  { timeout: 60_000 },
  async () => {
    const place = { root: workspace, staging: join(folder, "staging"), trash: join(folder, "trash") };
    const files = createFiles({ use: (call) => call(place), search, onLeft: () => undefined });
    expect(await refusals((path) => files.write(path, new Uint8Array([1])))).toBe(0);
    await rm(workspace, { recursive: true });
    await mkdir(workspace);
    await chown(workspace, owner, owner);
    // What is made and given away afterwards is the server's for a moment, which is noticed.
    const naive = async (path: string) => {
      let at = workspace;
      for (const name of path.split("/").slice(0, -1)) {
        at = join(at, name);
        await mkdir(at);
        await chown(at, owner, owner);
      }
    };
    expect(await refusals(naive)).toBeGreaterThan(0);
  },
);

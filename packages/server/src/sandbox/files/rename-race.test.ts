import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SandboxFiles } from "../sandbox.ts";
import { createFiles } from "./files.ts";
import { createSearch, type Search } from "./search.ts";

const sentinel = "outside";
/** So many of each at least, and for so long at least. */
const reads = 20_000;
const changes = 2_000;
const raceMs = 10_000;

/**
 * Exchanges a real folder and a link to the outside at the workspace's `target`, as fast as it can: by renameat2 with RENAME_EXCHANGE,
 * after which the name is never missing.
 */
const flipper = `
import ctypes, os, sys
workspace, outside = sys.argv[1:]
os.chdir(workspace)
os.mkdir("target")
open("target/file", "w").write("inside")
os.symlink(outside, "other")
libc = ctypes.CDLL(None, use_errno=True)
print("ready", flush=True)
while True:
    if libc.renameat2(-100, b"target", -100, b"other", 2) != 0:
        sys.exit(os.strerror(ctypes.get_errno()))
`;

let folder: string;
let outside: string;
let workspace: string;
let search: Search;
let files: SandboxFiles;
let child: ChildProcess;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "berth-race-")));
  outside = join(folder, "outside");
  workspace = join(folder, "workspace");
  const [staging, trash] = [join(folder, "staging"), join(folder, "trash")];
  for (const path of [outside, workspace, staging, trash]) await mkdir(path);
  await writeFile(join(outside, "file"), sentinel);
  search = createSearch({ clock: systemClock });
  files = createFiles({
    use: (call) => call({ root: workspace, staging, trash }),
    search,
    onLeft: () => undefined,
  });
  child = spawn("python3", ["-c", flipper, workspace, outside], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout !== null) await once(child.stdout, "data");
});

afterEach(async () => {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await search.close();
  await rm(folder, { recursive: true, force: true });
});

/** What most servers do: look where the path leads, then use it. */
async function naivePlace(path: string): Promise<string> {
  const real = await realpath(join(workspace, path));
  if (!real.startsWith(workspace + sep)) throw new Error("outside");
  return join(workspace, path);
}

/** Calls again and again, until it was often and long enough. */
async function race(times: number, attempt: (at: number) => Promise<unknown>): Promise<void> {
  const end = performance.now() + raceMs;
  for (let at = 0; at < times || performance.now() < end; at++) await attempt(at).catch(() => undefined);
  expect(child.exitCode).toBeNull();
}

it("SBX-05 reads nothing outside while a folder and a link change places; a realpath check does", async () => {
  const seen = { inside: 0, outside: 0, naiveOutside: 0, searched: 0 };
  await race(reads, async (at) => {
    const [own, naive] = await Promise.allSettled([
      files.read("target/file"),
      naivePlace("target/file").then((path) => readFile(path, "utf8")),
    ]);
    if (own.status === "fulfilled")
      seen[new TextDecoder().decode(own.value) === sentinel ? "outside" : "inside"]++;
    if (naive.status === "fulfilled" && naive.value === sentinel) seen.naiveOutside++;
    if (at % 500 !== 0) return;
    const found = await files.grep(".", { path: "target" }).catch(() => ({ items: [] }));
    for (const { text } of found.items) seen[text === sentinel ? "outside" : "searched"]++;
  });
  expect(seen.naiveOutside).toBeGreaterThan(0);
  expect(seen.inside).toBeGreaterThan(reads / 20);
  expect(seen.searched).toBeGreaterThan(0);
  expect(seen.outside).toBe(0);
}, 180_000);

it("SBX-05 changes nothing outside: write, make folders, move, remove, list; a realpath check does", async () => {
  const data = new TextEncoder().encode("attack");
  let written = 0;
  const listed = new Set<string>();
  await race(changes, async () => {
    await files.write("target/file", data).then(() => written++);
    await Promise.allSettled([
      files.write("target/new/deep/file", data),
      files.write("source", data).then(() => files.move("source", "target/moved")),
      files.remove("target/file"),
      files.remove("target/new"),
      files.list("target", { depth: 3 }).then(({ items }) => items.forEach(({ path }) => listed.add(path))),
    ]);
  });
  expect(written).toBeGreaterThan(changes / 20);
  expect(listed.size).toBeGreaterThan(0);
  expect(await readdir(outside)).toEqual(["file"]);
  expect(await readFile(join(outside, "file"), "utf8")).toBe(sentinel);

  const leaked = async () => {
    await naivePlace("target").then((path) => writeFile(join(path, "leaked"), "x"));
  };
  for (let at = 0; at < 20_000 && (await readdir(outside)).length === 1; at++)
    await leaked().catch(() => undefined);
  expect(await readdir(outside)).toContain("leaked");
}, 180_000);

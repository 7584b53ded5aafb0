import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SandboxFiles } from "../sandbox.ts";
import { createLocalProcess, type LocalProcessProvider } from "./local-process.ts";

const sentinel = "outside";
const raceMs = 1_500;

/** Puts a real folder and a link to the outside at the workspace's `target` in turn, as fast as it can. */
const flipper = `
  const { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } = require("node:fs");
  const [, workspace, outside] = process.argv;
  process.chdir(workspace);
  mkdirSync("target"); writeFileSync("target/file", "inside");
  process.stdout.write("ready");
  // A step fails when the other side has made the folder meanwhile.
  const step = (call, ...paths) => { try { call(...paths); return true; } catch { return false; } };
  for (let spare = 0; ; ) {
    if (!step(renameSync, "target", "real")) step(renameSync, "target", "spare" + spare++);
    step(symlinkSync, outside, "target");
    step(unlinkSync, "target");
    step(renameSync, "real", "target");
  }`;

let folder: string;
let outside: string;
let workspace: string;
let provider: LocalProcessProvider;
let files: SandboxFiles;
let child: ChildProcess;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "berth-race-")));
  outside = join(folder, "outside");
  await mkdir(outside);
  await writeFile(join(outside, "file"), sentinel);
  provider = createLocalProcess({ dataDir: join(folder, "data"), clock: systemClock, environment: {} });
  const ref = { id: "wsp_00000000000000000000000001", host: "local" };
  await provider.workspaces.create(ref, { diskBytes: 1 << 30, inodes: 1_000 });
  const opened = await provider.workspaces.open(ref);
  if (opened === null) throw new Error("no workspace");
  files = opened;
  workspace = join(folder, "data", "workspaces", ref.id);
  child = spawn(process.execPath, ["-e", flipper, workspace, outside], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (child.stdout !== null) await once(child.stdout, "data");
});

afterEach(async () => {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

/** What most servers do: look where the path leads, then use it. */
async function naiveRead(path: string): Promise<string> {
  const real = await realpath(join(workspace, path));
  if (!real.startsWith(workspace + sep)) throw new Error("outside");
  return await readFile(join(workspace, path), "utf8");
}

/** Calls again and again until the time is up. */
async function race(attempt: () => Promise<void>): Promise<number> {
  const end = performance.now() + raceMs;
  let attempts = 0;
  while (performance.now() < end) {
    attempts++;
    await attempt().catch(() => undefined);
  }
  return attempts;
}

it("SBX-05 reads nothing outside while a folder and a link change places; a realpath check does", async () => {
  let leaks = 0;
  let naiveLeaks = 0;
  let reads = 0;
  await race(async () => {
    const [own, naive] = await Promise.allSettled([files.read("target/file"), naiveRead("target/file")]);
    if (own.status === "fulfilled") {
      const content = new TextDecoder().decode(own.value);
      if (content === sentinel) leaks++;
      else reads++;
    }
    if (naive.status === "fulfilled" && naive.value === sentinel) naiveLeaks++;
  });
  expect(naiveLeaks).toBeGreaterThan(0);
  expect(reads).toBeGreaterThan(0);
  expect(leaks).toBe(0);
});

it("SBX-05 changes nothing outside: write, make folders, move, remove, list, search", async () => {
  const data = new TextEncoder().encode("attack");
  let written = 0;
  const listed = new Set<string>();
  await race(async () => {
    await files.write("target/file", data).then(() => written++);
    await Promise.allSettled([
      files.write("target/new/deep/file", data),
      files.write("source", data).then(() => files.move("source", "target/moved")),
      files.remove("target/file"),
      files.list("target").then(({ items }) => items.forEach((item) => listed.add(item.path))),
    ]);
  });
  expect(written).toBeGreaterThan(0);
  expect(listed.size).toBeGreaterThan(0);
  expect(await readdir(outside)).toEqual(["file"]);
  expect(await readFile(join(outside, "file"), "utf8")).toBe(sentinel);
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SessionSandboxes } from "../../allocation/session-sandboxes.ts";
import { createLocalProcess } from "./local-process.ts";
import { readProcess, readStart } from "./process-table.ts";

const spec = { orgId: "org_a", sessionId: "ses_a" };
/** A server of its own process: starts what it is told to, prints their pids, and waits for its death. */
const server = `
  const [, modules, dataDir] = process.argv;
  const { createLocalProcess } = await import(modules + "/sandbox/local-process/local-process.ts");
  const { systemClock } = await import(modules + "/lib/clock.ts");
  const provider = createLocalProcess({ dataDir, clock: systemClock, environment: { PATH: process.env.PATH } });
  const sandbox = await provider.connect(${JSON.stringify(spec)});
  const commands = [
    "echo pid $$; exec sleep 300",
    "setsid sh -c 'echo pid $$; exec sleep 300' & wait",
    "env -i setsid sh -c 'echo pid $$; exec sleep 300' & wait",
  ];
  for (const command of commands) await sandbox.spawn({ command });
  void sandbox.exec({ command: "echo pid $$; sleep 300", timeoutMs: 300000, onOutput: console.log });
  const timer = setInterval(async () => {
    const logs = (await sandbox.processes()).map(async ({ id }) => (await sandbox.logs(id)).text);
    const pids = await Promise.all(logs);
    if (pids.every((text) => text.startsWith("pid"))) { console.log(pids.join("")); clearInterval(timer); }
  }, 20);
  setInterval(() => {}, 1000);`;

let folder: string;
let dataDir: string;
let child: ChildProcess | null = null;
let provider: SessionSandboxes | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-left-"));
  dataDir = join(folder, "data");
});
afterEach(async () => {
  await provider?.close();
  await rm(folder, { recursive: true, force: true });
});

async function crashedServer(): Promise<number[]> {
  const modules = new URL("../..", import.meta.url).href;
  child = spawn(process.execPath, ["--input-type=module", "-e", server, modules, dataDir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const pids = () => [...output.matchAll(/pid (\d+)/g)].map((match) => Number(match[1]));
  await expect.poll(pids, { timeout: 8_000 }).toHaveLength(4);
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  return pids();
}

function restart(): SessionSandboxes {
  provider = createLocalProcess({ dataDir, clock: systemClock, environment: {} });
  return provider;
}

it("kills every process that a killed server left, and only those", async () => {
  const pids = await crashedServer();
  for (const pid of pids) expect(readProcess(pid)).not.toBeNull();
  const bystander = spawn("sleep", ["300"], { stdio: "ignore", env: { BERTH_EXEC_ID: "other.sbx_x.1" } });
  // A record whose pid was given out anew: the number is the bystander's, the start is not.
  const reused = { pid: bystander.pid, start: (readStart(bystander.pid ?? 0) ?? 0) - 1 };
  await writeFile(join(dataDir, "sandbox/processes/0123.sbx_0.4567"), JSON.stringify(reused));
  try {
    expect(await restart().reapLeftovers()).toBeGreaterThanOrEqual(4);
    for (const pid of pids) expect(readProcess(pid)).toBeNull();
    expect(readProcess(bystander.pid ?? 0)).not.toBeNull();
    expect(await restart().reapLeftovers()).toBe(0);
  } finally {
    const ended = once(bystander, "exit");
    bystander.kill("SIGKILL");
    await ended;
  }
});

it("kills what is left of one session at its release", async () => {
  const pids = await crashedServer();
  await restart().release({ ...spec, sessionId: "ses_other" });
  for (const pid of pids) expect(readProcess(pid)).not.toBeNull();
  await provider?.release(spec);
  for (const pid of pids) expect(readProcess(pid)).toBeNull();
  expect(await readdir(join(dataDir, "sandbox/processes"))).toEqual([]);
});

it("deletes what a crash left between two steps of a write or a removal", async () => {
  restart();
  await writeFile(join(dataDir, "sandbox/staging/half"), "half");
  await mkdir(join(dataDir, "sandbox/trash/bin/folder/deep"), { recursive: true });
  await restart().reapLeftovers();
  expect(await readdir(join(dataDir, "sandbox/staging"))).toEqual([]);
  expect(await readdir(join(dataDir, "sandbox/trash"))).toEqual([]);
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { deployment } from "../sandbox-harness.conformance.ts";
import { createLocalProcess, type LocalProcessProvider } from "./local-process.ts";
import { readProcess, readStart } from "./process-table.ts";

const ref = { id: "sbx_00000000000000000000000001", host: "local" };
/** A server of its own process: starts what it is told to, prints their pids, and waits for its death. */
const server = `
  const [, modules, dataDir] = process.argv;
  const { createLocalProcess } = await import(modules + "/sandbox/local-process/local-process.ts");
  const { systemClock } = await import(modules + "/lib/clock.ts");
  const provider = createLocalProcess({ dataDir, clock: systemClock, environment: { PATH: process.env.PATH } });
  const policy = { limits: {}, egress: { allow: [] } };
  await provider.create(
    ${JSON.stringify(ref)},
    { template: "test", policy },
    { incarnation: "one", deployment: ${JSON.stringify(deployment)}, ttlMs: 600000 },
  );
  const sandbox = await provider.connect(${JSON.stringify(ref)});
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
let provider: LocalProcessProvider | null = null;

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

function restart(): LocalProcessProvider {
  provider = createLocalProcess({ dataDir, clock: systemClock, environment: {} });
  return provider;
}

/** The folders that dead and living servers have. */
async function runs(): Promise<string[]> {
  const names = await readdir(join(dataDir, "sandbox/runs"));
  return names.map((name) => join(dataDir, "sandbox/runs", name));
}

it("kills every process that a killed server left, and only those", async () => {
  const pids = await crashedServer();
  for (const pid of pids) expect(readProcess(pid)).not.toBeNull();
  const bystander = spawn("sleep", ["300"], { stdio: "ignore", env: { BERTH_EXEC_ID: "other.sbx_x.1" } });
  // A record whose pid was given out anew: the number is the bystander's, the start is not.
  const reused = { pid: bystander.pid, start: (readStart(bystander.pid ?? 0) ?? 0) - 1 };
  const installation = await readFile(join(dataDir, "sandbox/installation"), "utf8");
  const [dead = ""] = await runs();
  const record = join(dead, "processes", `${installation}.sbx_0.4567`);
  await writeFile(record, JSON.stringify({ ...reused, deployment }));
  try {
    const other = await restart().sweep("local", "deployment-b");
    expect(other.foreign).toBe(5);
    for (const pid of pids) expect(readProcess(pid)).not.toBeNull();
    const swept = await restart().sweep("local", deployment);
    expect(swept.removed).toBeGreaterThanOrEqual(4);
    expect(swept.foreign).toBe(0);
    for (const pid of pids) expect(readProcess(pid)).toBeNull();
    expect(readProcess(bystander.pid ?? 0)).not.toBeNull();
    expect(await restart().sweep("local", deployment)).toEqual({ removed: 0, foreign: 0 });
    expect(await runs()).not.toContain(dead);
  } finally {
    const ended = once(bystander, "exit");
    bystander.kill("SIGKILL");
    await ended;
  }
});

it("kills what is left of one sandbox when that is destroyed", async () => {
  const pids = await crashedServer();
  const options = { reason: "test" };
  const other = { ...ref, id: ref.id.replace(/1$/, "2") };
  expect(await restart().destroy(other, options)).toBe("absent");
  for (const pid of pids) expect(readProcess(pid)).not.toBeNull();
  expect(await provider?.destroy(ref, options)).toBe("destroyed");
  for (const pid of pids) expect(readProcess(pid)).toBeNull();
  expect(await provider?.destroy(ref, options)).toBe("absent");
});

it("deletes what a crash left between two steps of a write or a removal", async () => {
  const gone = "00000000.1.1.0123456789ab";
  const places = ["runs", "workspaces/runs"].map((name) => join(dataDir, "sandbox", name, gone));
  const former = join(dataDir, "sandbox");
  for (const place of [...places, former]) {
    await mkdir(join(place, "staging"), { recursive: true });
    await mkdir(join(place, "processes"), { recursive: true });
    await writeFile(join(place, "staging/half"), "half");
    await mkdir(join(place, "trash/bin/folder/deep"), { recursive: true });
  }
  await restart().sweep("local", deployment);
  expect(await runs()).toHaveLength(1);
  expect(await readdir(join(former, "workspaces/runs"))).toHaveLength(1);
  expect((await readdir(former)).toSorted()).toEqual(["installation", "runs", "workspaces"]);
});

it("SCH-05 leaves what belongs to a server that runs", async () => {
  const running = restart();
  const policy = { limits: {} as never, egress: { allow: [] } };
  await running.create(ref, { template: "test", policy }, { incarnation: "one", deployment, ttlMs: 60_000 });
  const sandbox = await running.connect(ref);
  const { id } = await sandbox.spawn({ command: "sleep 60" });
  const second = createLocalProcess({ dataDir, clock: systemClock, environment: {} });
  await second.sweep("local", deployment);
  expect((await sandbox.logs(id))?.process.running).toBe(true);
  await running.close();
  await second.close();
  expect(await runs()).toEqual([]);
});

it("keeps the folders of earlier versions", async () => {
  await mkdir(join(dataDir, "workspaces/sbx_0123456789abcdef01234567"), { recursive: true });
  await writeFile(join(dataDir, "workspaces/sbx_0123456789abcdef01234567/kept"), "kept");
  const id = "wsp_000123456789abcdef01234567";
  expect(await restart().workspaces.list("local")).toEqual([id]);
  const files = await provider?.workspaces.open({ id, host: "local" });
  expect((await files?.list(""))?.items).toMatchObject([{ path: "kept" }]);
});

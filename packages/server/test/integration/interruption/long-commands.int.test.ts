// Long commands that somebody ends in their middle leave nothing: looked for with the kernel's own tables, where it was seen before.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errnoOf } from "../../../src/sandbox/files/file-errors.ts";
import { processesWith } from "../../attack/host-processes.ts";
import { endProcess } from "../../chaos/processes.ts";
import { groupsBeside, type Remains, remainsOf, sandboxesOn } from "../../chaos/sandboxes/remains.ts";
import { ownFolder } from "../../support/interruption/own-folder.ts";
import { runFolderOf } from "../../support/sandbox/bubblewrap-remains.ts";

const root = join(import.meta.dirname, "../../../../..");
const attack = join(root, "packages/server/test/attack/attack.ts");
const faults = join(root, "packages/server/test/chaos/faults.ts");
const soak = join(root, "bench/soak.ts");
const stopping = "Stopping: ends servers and sandboxes";

let folder: string;
let started: ChildProcess | null = null;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "berth-interruption-")));
  // A server of the attacks on a host has no privilege.
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  for (const pid of await processesWith(folder)) endProcess(pid);
  if (started?.exitCode === null && started.signalCode === null) {
    started.kill("SIGKILL");
    await once(started, "exit");
  }
  for (const name of readdirSync(folder)) await ownFolder(join(folder, name)).remove();
  rmSync(folder, { recursive: true });
});

interface Command {
  readonly child: ChildProcess;
  /** To it and to all that it started in its process group, as a terminal does. */
  signal(name: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string | null>;
  readonly said: () => string;
}

/** Starts a command in a process group of its own, all of whose files are in the folder. */
function start(argv: readonly [string, ...string[]]): Command {
  const [program, ...args] = argv;
  // npm would put its own compiled modules into the folder.
  const env = { ...process.env, TMPDIR: folder, NODE_COMPILE_CACHE: join(root, ".tools/compile-cache") };
  const child = spawn(program, args, { cwd: root, env, detached: true, stdio: "pipe" });
  started = child;
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  return {
    child,
    signal: (name) => void process.kill(-(child.pid ?? Number.NaN), name),
    exited: once(child, "exit").then(([code, signal]) => code ?? signal),
    said: () => said,
  };
}

interface Living {
  readonly dataDir: string;
  readonly ids: ReadonlySet<string>;
  readonly remains: Remains;
  /** Processes whose arguments name the folder. */
  readonly servers: readonly number[];
}

/** Resolves when a server of the command has a sandbox in which something runs. */
async function living({ said, child }: Command): Promise<Living> {
  let seen: Living | null = null;
  const look = async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${said()}`);
    for (const name of readdirSync(folder)) {
      const dataDir = join(folder, name, "data");
      const ids = new Set(sandboxesOn(dataDir));
      if (ids.size === 0) continue;
      const remains = remainsOf(dataDir, ids);
      const { processes, groups, mounts } = remains;
      const isWhole = [processes, groups, mounts].every((all) => all.length > 0);
      if (isWhole) seen = { dataDir, ids, remains, servers: await processesWith(folder) };
    }
    return seen !== null && seen.servers.length > 0;
  };
  await expect.poll(look, { timeout: 40_000, interval: 50 }).toBe(true);
  if (seen === null) throw new Error("nothing lived");
  return seen;
}

/** What is still there of what lived, each a line. */
async function leftOf({ dataDir, ids, remains }: Living): Promise<readonly string[]> {
  const left = Object.entries(remainsOf(dataDir, ids)).flatMap(([kind, all]) =>
    (all as readonly string[]).map((one) => `${kind}: ${one}`),
  );
  const processes = await processesWith(folder);
  return [
    ...left,
    ...groupsBeside(remains.groups).map((group) => `group: ${group}`),
    ...processes.map((pid) => `process: ${pid}`),
    ...readdirSync(folder).map((name) => `file: ${name}`),
  ];
}

/** Stops a process, unless it has ended meanwhile: some of what works for a server is over in a moment. */
function stopProcess(pid: number): void {
  try {
    process.kill(pid, "SIGSTOP");
  } catch (thrown) {
    if (errnoOf(thrown) !== "ESRCH") throw thrown;
  }
}

const runWithTerminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

describe("a long command", { timeout: 90_000 }, () => {
  it("faults, run by npm in a terminal, leaves nothing at Ctrl-C", async () => {
    const npm = ["npm", "run", "faults", "--", "--only", "sandboxes", "--short"];
    const command = start(["python3", "-c", runWithTerminal, ...npm]);
    const lived = await living(command);
    const run = runFolderOf(lived.dataDir);
    command.child.stdin?.write("\u0003");
    expect(await command.exited).toBe(130);
    expect(await leftOf(lived)).toEqual([]);
    expect(existsSync(run)).toBe(false);
    expect(command.said().split(stopping)).toHaveLength(2);
    expect(command.said().split(stopping)[1]).not.toMatch(/violated|FAILED|passed/i);
  });

  it("sweeps what a killed server has left, at SIGTERM", async () => {
    const command = start([process.execPath, faults, "--only", "sandboxes", "--short"]);
    const lived = await living(command);
    for (const pid of lived.servers) endProcess(pid);
    command.child.kill("SIGTERM");
    expect(await command.exited).toBe(143);
    expect(await leftOf(lived)).toEqual([]);
  });

  it.each(["bubblewrap", "remote"])("attack on %s leaves nothing at Ctrl-C", async (provider) => {
    const mode = provider === "remote" ? "multi" : "single";
    const options = ["--provider", provider, "--mode", mode, "--only", "SBX-20"];
    const command = start([process.execPath, attack, ...options]);
    const lived = await living(command);
    command.signal("SIGINT");
    // As npm forwards it.
    command.child.kill("SIGINT");
    expect(await command.exited).toBe(130);
    expect(await leftOf(lived)).toEqual([]);
  });

  it("ends at once at the second Ctrl-C, and its servers with it", async () => {
    const command = start([process.execPath, faults, "--only", "sandboxes", "--short"]);
    const lived = await living(command);
    // Who does not stop.
    for (const pid of lived.servers) stopProcess(pid);
    command.signal("SIGINT");
    await expect.poll(command.said).toContain(stopping);
    const asked = performance.now();
    const again = setInterval(() => command.signal("SIGINT"), 100);
    expect(await command.exited).toBe(130);
    clearInterval(again);
    expect(performance.now() - asked).toBeLessThan(5_000);
    await expect.poll(() => processesWith(folder)).toEqual([]);
  });

  it("soak leaves nothing at SIGTERM", async () => {
    const command = start([process.execPath, soak, "--minutes", "1", "--lives", "2"]);
    await expect.poll(command.said, { timeout: 40_000 }).toContain("2 sessions at a time");
    expect(await processesWith(folder)).not.toEqual([]);
    command.child.kill("SIGTERM");
    expect(await command.exited).toBe(143);
    expect(await processesWith(folder)).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { mkdir, mkdtemp, open, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { whenInterrupted } from "../support/interruption/interruption.ts";
import { ownFolder } from "../support/interruption/own-folder.ts";
import type { NaiveHost } from "./row.ts";
import type { Ran, RunOptions } from "./target.ts";

const kept = 4 * 1024 * 1024;

export interface OpenNaiveHost extends NaiveHost {
  close(): Promise<void>;
}

/**
 * What a server without sandboxes would do, in a place where it can hurt nobody: the machine is there to read only, with a /tmp, processes
 * and devices of its own, and the only folder that can be written is one that was made for it. Inside of that nothing is held back: commands
 * have the server's secrets in their environment, all capabilities, no limits and the host's own network; files are used by joined paths.
 * Every detector has to find something here, else it finds nothing anywhere.
 */
export async function openNaiveHost(): Promise<OpenNaiveHost> {
  const area = await mkdtemp(join(tmpdir(), "berth-naive-"));
  const { remove } = ownFolder(area);
  const folder = join(area, "workspace");
  const outside = join(area, "outside");
  await mkdir(folder);
  await mkdir(outside);
  const secrets = [`canary-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`];
  const env = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", HOME: folder, NAIVE_SECRET: secrets[0] ?? "" };
  const walls = [
    "--die-with-parent --unshare-pid --unshare-ipc --ro-bind / / --dev /dev --proc /proc".split(" "),
    "--tmpfs /tmp --tmpfs /run --tmpfs /root".split(" "),
    ["--bind", area, area, "--chdir", folder],
  ].flat();
  const run: NaiveHost["run"] = (command, options) =>
    runIn(["bwrap", ...walls, "--", "bash", "-c", command], { env, folder, ...options });
  return {
    folder,
    outside,
    secrets,
    run,
    sleepers: (command, options) => runIn(["bash", "-c", command], { env, folder, ...options }),
    files: naiveFiles({ area, folder, run }),
    async close() {
      await releaseReaders(folder);
      await remove();
    },
  };
}

interface RunIn extends RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
}

async function runIn(argv: readonly string[], options: RunIn): Promise<Ran> {
  const { env, folder, stdin = "", timeoutMs = 30_000 } = options;
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { cwd: folder, env, detached: true, stdio: "pipe" });
  const kill = () => endGroup(child.pid);
  const release = whenInterrupted({ stage: "commands", stop: kill, kill });
  const pieces: Buffer[] = [];
  let outputBytes = 0;
  const take = (piece: Buffer) => {
    if (outputBytes < kept) pieces.push(piece);
    outputBytes += piece.length;
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  let reason = "exit";
  const timer = setTimeout(() => {
    reason = "timeout";
    kill();
  }, timeoutMs);
  const [code] = (await once(child, "exit")) as [number | null];
  clearTimeout(timer);
  release();
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  return { code, reason, output: Buffer.concat(pieces).toString(), outputBytes };
}

/** Paths are joined and used as they are: reads go wherever that leads, changes only where it stays in the area. */
function naiveFiles({
  area,
  folder,
  run,
}: {
  area: string;
  folder: string;
  run: NaiveHost["run"];
}): NaiveHost["files"] {
  const at = (path: string) => join(folder, path);
  const own = (path: string) => {
    const place = resolve(at(path));
    if (!dirname(place).startsWith(`${area}/`)) throw new Error(`${place} is not ours to change`);
    return place;
  };
  return {
    read: (path) => readFile(at(path), "utf8"),
    grep: async (_, path) => [await readFile(at(path), "utf8")],
    list: (path) => readdir(at(path)),
    glob: async (_, path) => await readdir(at(path)),
    write: async (path, text) => writeFile(own(path), text),
    move: async (path, to) => rename(own(path), own(to)),
    remove: async (path) => rm(own(path)),
    async extract(archive) {
      await writeFile(join(folder, "archive"), archive);
      await run("tar -xPf archive");
    },
  };
}

/** Lets go who waits for a pipe to be written: opening it for both ends does. */
async function releaseReaders(folder: string): Promise<void> {
  const pipe = await open(join(folder, "pipe"), constants.O_RDWR | constants.O_NONBLOCK).catch(() => null);
  await pipe?.close();
}

function endGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

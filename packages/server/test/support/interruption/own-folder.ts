import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { endProcess, processesOf } from "../../chaos/processes.ts";
import { whenInterrupted } from "./interruption.ts";

/** A folder that a command made for itself. */
export interface OwnFolder {
  /** Removes it, with what killed servers have left running, mounted and in control groups. Idempotent. */
  readonly remove: () => Promise<void>;
  /** Leaves it where it is, for people to look into. */
  readonly keep: () => void;
}

/** Has a folder removed when the command is interrupted. `dataDir`: a data folder that is not directly in it. */
export function ownFolder(folder: string, dataDir?: string): OwnFolder {
  let removing: Promise<void> | null = null;
  const keep = whenInterrupted({ stage: "places", stop: () => remove() });
  const remove = () => (removing ??= clear(folder, dataDir).finally(keep));
  return { remove, keep };
}

async function clear(folder: string, dataDir: string | undefined): Promise<void> {
  const places = [folder, ...(dataDir === undefined ? [] : [dataDir])];
  for (const place of places) for (const { pid } of processesOf(place)) endProcess(pid);
  for (const data of [...places, ...foldersIn(folder)]) {
    if (!existsSync(join(data, "sandbox"))) continue;
    // Not before: most folders have had no sandbox, and it is most of the server.
    const { sweepSandboxes } = await import("../sandbox/sweep-sandboxes.ts");
    await sweepSandboxes(data);
  }
  for (const place of mountsBelow(folder).toReversed()) spawnSync("umount", ["--lazy", place]);
  const [left] = mountsBelow(folder);
  // What is removed there would be somebody else's.
  if (left !== undefined) throw new Error(`${folder} stays: unmount ${left} and remove it`);
  // Hostile trees are deeper than Node's own removal goes.
  await runSilently("chmod", ["-R", "u+rwX", folder]);
  await runSilently("rm", ["-rf", folder]);
}

async function runSilently(program: string, args: readonly string[]): Promise<void> {
  await once(spawn(program, args, { stdio: "ignore" }), "exit");
}

function foldersIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

/** Where something is mounted in a folder, in the order in which it was. */
function mountsBelow(folder: string): readonly string[] {
  const mounts = "/proc/self/mounts";
  if (!existsSync(mounts)) return [];
  const lines = readFileSync(mounts, "utf8").split("\n");
  return lines.map((line) => line.split(" ")[1] ?? "").filter((place) => place.startsWith(`${folder}/`));
}

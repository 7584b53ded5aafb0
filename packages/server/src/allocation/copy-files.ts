import type { FileEntry } from "@berth/contract";
import type { SandboxFiles } from "../sandbox/sandbox.ts";

/** What is larger is not moved to another host. */
const mostBytes = 1024 ** 3;
const mostFiles = 10_000;
const mostBytesOfFile = 32 * 1024 ** 2;
const deepest = 65;
const atOnce = 8;

/**
 * Copies the files of one workspace into another that is empty. Returns null when it is whole, else why it is not: they are too many or
 * too large, or somebody wrote to them meanwhile. Links, empty folders and permissions stay behind.
 */
export async function copyFiles(
  from: SandboxFiles,
  to: SandboxFiles,
  signal: AbortSignal,
): Promise<string | null> {
  const before = await list(from);
  if (typeof before === "string") return before;
  const left = before.values();
  const run = async () => {
    for (const { path, kind } of left) {
      signal.throwIfAborted();
      if (kind === "file") await to.write(path, await from.read(path));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, before.length) }, run));
  const after = await list(from);
  return typeof after !== "string" && markOf(before) === markOf(after) ? null : "they changed meanwhile";
}

async function list(files: SandboxFiles): Promise<readonly FileEntry[] | string> {
  const { items, truncated } = await files.list("", { depth: deepest, limit: 2 * mostFiles });
  const regular = items.filter(({ kind }) => kind === "file");
  if (truncated || regular.length > mostFiles) return `there are more than ${mostFiles} files`;
  const large = regular.find(({ size }) => size > mostBytesOfFile);
  if (large !== undefined) return `${JSON.stringify(large.path)} has more than 32 MiB`;
  if (regular.reduce((sum, { size }) => sum + size, 0) > mostBytes) return "they have more than 1 GiB";
  return items;
}

function markOf(items: readonly FileEntry[]): string {
  return JSON.stringify(items.map(({ path, kind, size, modifiedAt }) => [path, kind, size, modifiedAt]));
}

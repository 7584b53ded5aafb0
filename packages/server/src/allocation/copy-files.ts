import type { SandboxFiles, TreeItem } from "../sandbox/sandbox.ts";
import { eachOf } from "./each-of.ts";

/** What is larger is not moved to another host. */
const mostBytes = 1024 ** 3;
const mostEntries = 20_000;
const mostFiles = 10_000;
const mostBytesOfFile = 32 * 1024 ** 2;
const atOnce = 8;

/**
 * Copies the files of one workspace into another that is empty, with empty folders, links as they are and what may be run. Returns null
 * when it is whole, else why it is not: they are too many or too large, or somebody wrote to them meanwhile. Pipes and other special files,
 * times, owners and other permissions stay behind.
 */
export async function copyFiles(
  from: SandboxFiles,
  to: SandboxFiles,
  signal: AbortSignal,
): Promise<string | null> {
  const before = await list(from);
  if (typeof before === "string") return before;
  await eachOf(
    before.filter(({ kind }) => kind === "file" || kind === "directory"),
    atOnce,
    async ({ path, kind, executable }) => {
      signal.throwIfAborted();
      if (kind === "directory") return await to.makeFolder(path);
      await to.write(path, await from.read(path));
      if (executable) await to.setExecutable(path, true);
    },
  );
  // Last, so that nothing is asked for below one.
  await eachOf(before, atOnce, async ({ path, target }) => {
    signal.throwIfAborted();
    if (target !== null) await to.makeLink(path, target);
  });
  signal.throwIfAborted();
  const after = await list(from);
  return typeof after !== "string" && markOf(before) === markOf(after) ? null : "they changed meanwhile";
}

async function list(files: SandboxFiles): Promise<readonly TreeItem[] | string> {
  const { items, truncated } = await files.tree("", { limit: mostEntries });
  const copied = items.filter(({ kind }) => kind === "file" || kind === "link");
  if (truncated || copied.length > mostFiles)
    return `there are more than ${mostFiles} files, or some that cannot be listed`;
  const large = copied.find(({ size }) => size > mostBytesOfFile);
  if (large !== undefined) return `${JSON.stringify(large.path)} has more than 32 MiB`;
  if (copied.reduce((sum, { size }) => sum + size, 0) > mostBytes) return "they have more than 1 GiB";
  return items;
}

function markOf(items: readonly TreeItem[]): string {
  return JSON.stringify(items);
}

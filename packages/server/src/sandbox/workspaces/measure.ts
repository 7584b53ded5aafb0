import { lstat } from "node:fs/promises";
import { openRoot } from "../files/folder.ts";
import { walkTree } from "../files/walk-tree.ts";

/** What a folder takes on disk, and how many files and folders are in it. Each link of a file with several counts once more. */
export async function measure(path: string): Promise<{ bytes: number; files: number }> {
  const folder = await openRoot(path);
  const size = { bytes: 0, files: 0 };
  try {
    const walk = { folder, path: "", depth: Number.POSITIVE_INFINITY, onCut: () => undefined };
    for await (const { parent, name } of walkTree(walk)) {
      const stat = await lstat(`${parent.path}/${name}`).catch(() => null);
      size.bytes += (stat?.blocks ?? 0) * 512;
      size.files++;
    }
  } finally {
    await folder.handle.close();
  }
  return size;
}

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** More often than that nothing is moved while a test looks. */
const looks = 100;

/** What is in each file below a folder, by its path. What was moved during a look may have been missed, so then it looks again. */
export async function filesBelow(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  for (let look = 1; ; look++) {
    try {
      return await read(folder);
    } catch (error) {
      if (look === looks || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

async function read(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path)] as const)));
}

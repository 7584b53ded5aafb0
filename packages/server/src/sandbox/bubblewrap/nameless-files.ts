import { readdir, readlink, stat } from "node:fs/promises";

/**
 * Bytes on disk of files without a name that processes of sandboxes hold open; of a sandbox, its first process is given. Those of /tmp
 * and /dev/shm are memory and are left out. What cannot be read has ended.
 */
export async function namelessBytes(firsts: readonly number[]): Promise<number> {
  const wanted = new Set<string>();
  const disks = new Set<number>();
  for (const pid of firsts) {
    const [inside, workspace] = await Promise.all([
      readlink(`/proc/${pid}/ns/pid`).catch(() => null),
      stat(`/proc/${pid}/root/workspace`).catch(() => null),
    ]);
    if (inside !== null) wanted.add(inside);
    if (workspace !== null) disks.add(workspace.dev);
  }
  const sizes = new Map<string, number>();
  for (const name of wanted.size === 0 ? [] : await readdir("/proc")) {
    if (!/^\d+$/.test(name) || !wanted.has(await readlink(`/proc/${name}/ns/pid`).catch(() => ""))) continue;
    for (const opened of await readdir(`/proc/${name}/fd`).catch(() => [])) {
      const found = await stat(`/proc/${name}/fd/${opened}`).catch(() => null);
      if (found?.isFile() === true && found.nlink === 0 && disks.has(found.dev))
        sizes.set(`${found.dev}/${found.ino}`, found.blocks * 512);
    }
  }
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

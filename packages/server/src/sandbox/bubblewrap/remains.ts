import { readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { failpoint } from "../../lib/failpoint.ts";
import { errnoOf } from "../files/file-errors.ts";
import { openRoot } from "../files/folder.ts";
import { removeTree } from "../files/remove-tree.ts";
import { removeGroup } from "./control-groups.ts";
import type { Host } from "./host.ts";
import { killExactly } from "./process-identity.ts";
import { removeRecord, type SandboxRecord } from "./record.ts";
import { isLeasable, returnUid } from "./uid-leases.ts";

/** Names below a sandbox's folder of `run`. */
export const egressFolder = "net";
export const egressSocket = "egress.sock";
export const slotFolder = "ws";

/**
 * Ends what a record names and removes it, the record last, so that after a crash in the middle the next call goes on.
 * Idempotent. Never deletes a file of a workspace: what is mounted is taken down first, and folders are only removed when they
 * are empty.
 */
export async function removeRemains(
  { host }: { host: Host },
  record: SandboxRecord,
  options: { thorough: boolean },
): Promise<void> {
  for (const identity of record.processes.toReversed()) killExactly(identity);
  if (options.thorough && record.uid !== null && isLeasable(record.uid)) await killUser(record.uid);
  failpoint("sandbox.mid-destroy");
  // At once: neither waits for the other (6 ms).
  const both = await Promise.allSettled([removeGroup(record.groups), host.rootTools?.unmount(record.mounts)]);
  for (const one of both) if (one.status === "rejected") throw one.reason;
  await removeIfThere(unlink, `${record.folder}/${egressFolder}/${egressSocket}`);
  await removeIfThere(rmdir, `${record.folder}/${egressFolder}`);
  await removeSlot(host, record);
  await removeIfThere(rmdir, record.folder);
  if (record.uid !== null) await returnUid(record.uid, record.id);
  await removeRecord(`${host.places.sandboxes}/${record.id}`);
}

/** Without root it is a folder that the sandbox could write to before it had a workspace; with root it never is. */
async function removeSlot({ rootTools, places }: Host, { folder }: SandboxRecord): Promise<void> {
  if (rootTools) return await removeIfThere(rmdir, `${folder}/${slotFolder}`);
  const parent = await openRoot(folder).catch(() => null);
  if (parent === null) return;
  let failed: unknown = null;
  try {
    await removeTree({
      parent,
      name: slotFolder,
      trash: places.trash,
      onLeft: (thrown) => (failed = thrown),
    });
  } finally {
    await parent.handle.close();
  }
  if (failed !== null) throw failed;
}

async function removeIfThere(remove: (path: string) => Promise<void>, path: string): Promise<void> {
  try {
    await remove(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== "ENOENT") throw thrown;
  }
}

/** Kills every process of a leased user: those that a server started and could not note any more before it ended. */
async function killUser(uid: number): Promise<void> {
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const status = await readFile(`/proc/${name}/status`, "latin1").catch(() => "");
    if (Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) !== uid) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch (thrown) {
      if (errnoOf(thrown) !== "ESRCH") throw thrown;
    }
  }
}

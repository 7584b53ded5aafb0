import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createHash } from "node:crypto";
import type { SandboxRecord } from "../../../src/sandbox/bubblewrap/record.ts";

/** The records of the sandboxes below a data folder, as they are on disk. */
export function recordsOf(dataDir: string): SandboxRecord[] {
  const folder = `${dataDir}/sandbox/sandboxes`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => `${folder}/${name}/record.json`)
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, "utf8")) as SandboxRecord);
}

/** Where a server that is root keeps sockets and mount points of its sandboxes. */
export function runFolderOf(dataDir: string): string {
  return `/run/berth/${createHash("sha256").update(realpathSync(dataDir)).digest("hex").slice(0, 12)}`;
}

/** Every process of a user of the host. */
export function processesOfUser(uid: number | null): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/status`, "latin1");
        if (/^State:\t[ZX]/m.test(status)) return false;
        return Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) === uid;
      } catch {
        return false;
      }
    });
}

/**
 * All that there is of sandboxes that were made below a data folder: folders, mounts, control groups, users, sockets, processes.
 * `records`: those that were ever seen, because what removes them also removes their record.
 */
export function remainsOf(dataDir: string, records: readonly SandboxRecord[]): string[] {
  const run = runFolderOf(dataDir);
  const folders = [`${dataDir}/sandbox/sandboxes`, run].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => `folder ${folder}/${name}`) : [],
  );
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(`${run}/`))
    .map((line) => `mount ${line}`);
  const groups = records.flatMap((record) => record.groups.filter((folder) => existsSync(folder)));
  const processes = records.flatMap(({ uid }) => (uid === null ? [] : processesOfUser(uid)));
  const leases = records.flatMap(({ id }) => leasesOf(id));
  return [
    ...folders,
    ...mounts,
    ...groups.map((folder) => `group ${folder}`),
    ...processes.map((pid) => `process ${pid}`),
    ...leases.map((uid) => `user ${uid}`),
  ];
}

function leasesOf(id: string): string[] {
  const top = "/run/berth/uids";
  if (!existsSync(top)) return [];
  return readdirSync(top).flatMap((boot) =>
    readdirSync(`${top}/${boot}`).filter((uid) => existsSync(`${top}/${boot}/${uid}/${id}`)),
  );
}

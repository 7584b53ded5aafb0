import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { whenInterrupted } from "../../support/interruption/interruption.ts";

/** A file system of its own, small enough to be filled. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes every byte that is left. */
  fill(): void;
  /** Gives them back. */
  free(): void;
  unmount(): void;
}

/** Mounts a disk in memory; a text says why that is not possible here. */
export function mountSmallDisk(megabytes: number): SmallDisk | string {
  if (process.platform !== "linux") return "a small disk can be mounted on Linux only";
  if (process.getuid?.() !== 0) return "only root may mount a small disk: run it as root to see this part";
  const folder = mkdtempSync(join(tmpdir(), "berth-faults-disk-"));
  const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) {
    rmdirSync(folder);
    return `mount is not permitted here (${(stderr ?? "").trim()})`;
  }
  const filler = join(folder, "filler");
  let isMounted = true;
  const disk: SmallDisk = {
    folder,
    fill: () => fillUp(filler),
    free: () => rmSync(filler, { force: true }),
    unmount() {
      if (!isMounted) return;
      isMounted = false;
      release();
      spawnSync("umount", ["--lazy", folder]);
      rmdirSync(folder);
    },
  };
  const unmount = () => disk.unmount();
  const release = whenInterrupted({ stage: "places", stop: unmount, kill: unmount });
  return disk;
}

function fillUp(path: string): void {
  const file = openSync(path, "a");
  try {
    for (let size = 1 << 20; size >= 1; size >>= 1) {
      const bytes = Buffer.alloc(size);
      while (fits(file, bytes));
    }
  } finally {
    closeSync(file);
  }
}

function fits(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch {
    return false;
  }
}

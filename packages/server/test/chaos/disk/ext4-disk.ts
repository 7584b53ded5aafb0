import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { whenInterrupted } from "../../support/interruption/interruption.ts";

/** A file system on a block device of its own, so that the kernel can be told to let it fail or to make it slow. */
export interface Ext4Disk {
  readonly folder: string;
  /** What makes it read-only under everybody who writes, as an error of the disk would; a text says why not. */
  fail(): string | null;
  /** Unmounts it, mends it and mounts it again. Throws when somebody still uses it. */
  mend(): void;
  /** So many writes a second and no more; null: as many as it can. A text says why not. */
  limitWrites(perSecond: number | null): string | null;
  unmount(): void;
}

/** The group of whoever has no group: a loop device is written by a thread of the kernel, not by who wrote to the file. */
const writeLimit = "/sys/fs/cgroup/blkio/blkio.throttle.write_iops_device";

/** Makes and mounts an image; a text says why that is not possible here. */
export function mountExt4Disk(megabytes: number): Ext4Disk | string {
  if (process.platform !== "linux") return "a disk image can be mounted on Linux only";
  if (process.getuid?.() !== 0) return "only root may mount a disk image: run it as root to see this part";
  const place = mkdtempSync(join(tmpdir(), "berth-faults-ext4-"));
  const folder = join(place, "disk");
  const image = join(place, "image");
  mkdirSync(folder);
  writeFileSync(image, "");
  truncateSync(image, megabytes * 1_048_576);
  let device = "";
  try {
    run("mkfs.ext4", "-q", "-F", image);
    device = run("losetup", "--find", "--show", image);
    mount(device, folder);
  } catch (thrown) {
    if (device !== "") spawnSync("losetup", ["--detach", device]);
    rmSync(place, { recursive: true });
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
  let isMounted = true;
  const disk: Ext4Disk = {
    folder,
    fail: () => failNow(device),
    mend() {
      run("umount", folder);
      // 1: errors were found and corrected.
      const { status, stdout } = spawnSync("e2fsck", ["-p", device], { encoding: "utf8" });
      if (status !== 0 && status !== 1) throw new Error(`e2fsck ended with ${status}: ${stdout}`);
      mount(device, folder);
    },
    limitWrites: (perSecond) => limitWrites(device, perSecond),
    unmount() {
      if (!isMounted) return;
      isMounted = false;
      release();
      limitWrites(device, null);
      spawnSync("umount", ["--lazy", folder]);
      spawnSync("losetup", ["--detach", device]);
      rmSync(place, { recursive: true, force: true });
    },
  };
  const unmount = () => disk.unmount();
  const release = whenInterrupted({ stage: "places", stop: unmount, kill: unmount });
  return disk;
}

function mount(device: string, folder: string): void {
  run("mount", "-t", "ext4", "-o", "errors=remount-ro", device, folder);
}

function failNow(device: string): string | null {
  const trigger = `/sys/fs/ext4/${basename(device)}/trigger_fs_error`;
  if (!existsSync(trigger)) return `this kernel has no ${trigger}`;
  writeFileSync(trigger, "1");
  return null;
}

function limitWrites(device: string, perSecond: number | null): string | null {
  if (!existsSync(writeLimit)) return `this machine has no ${writeLimit} (control groups of version 1)`;
  const numbers = readFileSync(`/sys/block/${basename(device)}/dev`, "utf8").trim();
  writeFileSync(writeLimit, `${numbers} ${perSecond ?? 0}`);
  return null;
}

/** What the command printed; throws what it said instead. */
function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} is not possible here (${error?.message ?? stderr.trim()})`);
}

import type { PartScene } from "../part.ts";
import { diskFull } from "./disk-full.ts";
import { mountExt4Disk } from "./ext4-disk.ts";
import { readOnly } from "./read-only.ts";
import { leases, slowFsync } from "./slow-fsync.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { twoServers } from "./two-servers.ts";

const megabytes = 24;
const imageMegabytes = 96;

/** Disks that fill up, become read-only or slow, and a folder that two servers want. */
export async function diskPart(scene: PartScene): Promise<void> {
  await twoServers(scene.rig({ name: "two-servers" }), scene.checklist);
  const parts = [
    { name: "a full disk", check: onFullDisk },
    { name: "a read-only data folder", check: onReadOnlyFolder },
    { name: "slow fsync", check: onSlowDisk },
  ];
  const run = async ({ name, check }: (typeof parts)[number]) => {
    try {
      const hindered = await check(scene);
      if (hindered !== null) scene.checklist.skip(name, hindered);
    } catch (thrown) {
      scene.checklist.violated(`the part about ${name} ran to its end`, String(thrown));
    }
  };
  // Each has a disk of its own, and waits most of the time.
  if (scene.options.short) await Promise.all(parts.map(run));
  else for (const part of parts) await run(part);
}

async function onFullDisk({ rig, checklist }: PartScene): Promise<string | null> {
  const disk = mountSmallDisk(megabytes);
  if (typeof disk === "string") return disk;
  try {
    await diskFull({ rig: rig({ name: "disk", dataDir: `${disk.folder}/data` }), disk, checklist });
    return null;
  } finally {
    disk.unmount();
  }
}

async function onReadOnlyFolder({ rig, checklist }: PartScene): Promise<string | null> {
  const disk = mountExt4Disk(imageMegabytes);
  if (typeof disk === "string") return disk;
  try {
    return await readOnly({
      rig: rig({ name: "read-only", dataDir: `${disk.folder}/data` }),
      disk,
      checklist,
    });
  } finally {
    disk.unmount();
  }
}

async function onSlowDisk({ rig, checklist, say, options }: PartScene): Promise<string | null> {
  for (const keepsLease of options.short ? [true] : [true, false]) {
    const disk = mountExt4Disk(imageMegabytes);
    if (typeof disk === "string") return disk;
    const env = { BERTH_LEASE: keepsLease ? leases.kept : leases.lost };
    const own = rig({ name: "slow", dataDir: `${disk.folder}/data`, env });
    try {
      const hindered = await slowFsync({ rig: own, disk, checklist, say, keepsLease });
      if (hindered !== null) return hindered;
    } finally {
      disk.unmount();
    }
  }
  return null;
}

import type { Checklist } from "../checklist.ts";
import { createRig } from "../kill-loop/rig.ts";
import type { FaultsOptions } from "../options.ts";
import type { Random } from "../random.ts";
import { diskFull } from "./disk-full.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { twoServers } from "./two-servers.ts";

const megabytes = 24;

/** A disk that fills up, and a folder that two servers want. */
export async function diskPart(_: FaultsOptions, __: Random, checklist: Checklist): Promise<void> {
  const rig = createRig({ name: "two-servers" });
  await twoServers(rig, checklist);
  const disk = mountSmallDisk(megabytes);
  if (typeof disk === "string") {
    console.log(`  SKIPPED the full disk: ${disk}`);
    return;
  }
  const small = createRig({ name: "disk", dataDir: `${disk.folder}/data` });
  try {
    await diskFull({ rig: small, disk, checklist });
  } finally {
    disk.unmount();
  }
}

import type { PartScene } from "../part.ts";
import { diskFull } from "./disk-full.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { twoServers } from "./two-servers.ts";

const megabytes = 24;

/** A disk that fills up, and a folder that two servers want. */
export async function diskPart({ checklist, say, rig: newRig }: PartScene): Promise<void> {
  const rig = newRig({ name: "two-servers" });
  await twoServers(rig, checklist);
  const disk = mountSmallDisk(megabytes);
  if (typeof disk === "string") {
    say(`SKIPPED the full disk: ${disk}`);
    return;
  }
  const small = newRig({ name: "disk", dataDir: `${disk.folder}/data` });
  try {
    await diskFull({ rig: small, disk, checklist });
  } finally {
    disk.unmount();
  }
}

import { existsSync } from "node:fs";
import { runProgram } from "../run-program.ts";
import type { ImagePrograms } from "./image-file.ts";

const loopMajor = 7;

/** Mounts an image file. In a container the device that the kernel offers may have no name yet: it is given one. */
export async function mountImage(programs: ImagePrograms, file: string, at: string): Promise<void> {
  const mount = () =>
    runProgram(programs.mount, ["-n", "-t", "ext4", "-o", "loop,nosuid,nodev,noatime", "--", file, at]);
  try {
    await mount();
  } catch (thrown) {
    const device = (await runProgram(programs.losetup, ["-f"]).catch(() => "")).trim();
    const number = /^\/dev\/loop(\d+)$/.exec(device)?.[1];
    if (number === undefined || existsSync(device)) throw thrown;
    await runProgram(programs.mknod, [device, "b", String(loopMajor), number]);
    await mount();
  }
}

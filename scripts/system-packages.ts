// What the suites need from the system and npm does not carry.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

type SystemPackage = { readonly file: string; readonly name: string };

export const chromium: SystemPackage = { file: "/usr/bin/chromium", name: "chromium" };

/** What isolates tools, and what the attacks on it are written with. */
export const isolation: readonly SystemPackage[] = [
  { file: "/usr/bin/bwrap", name: "bubblewrap" },
  { file: "/usr/bin/python3", name: "python3" },
  { file: "/sbin/mkfs.ext4", name: "e2fsprogs" },
];

/** Installs with apt-get what is missing; says so and ends with 1 where it may not. */
export function ensureInstalled(wanted: readonly SystemPackage[]): void {
  const names = wanted.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (names.length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${names.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.error(`berth: the tests need ${names.join(", ")}. Install it and try again:\n  sudo ${install}`);
    process.exit(1);
  }
  console.log(`berth: installing ${names.join(", ")} with apt-get`);
  for (const command of ["apt-get update", install]) {
    const [file = "", ...args] = command.split(" ");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: "utf8" });
    if (status === 0) continue;
    console.error(`${stdout}${stderr}\nberth: "${command}" failed`);
    process.exit(1);
  }
}

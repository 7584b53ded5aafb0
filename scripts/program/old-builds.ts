import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const keptMs = 3_600_000;

/**
 * Removes the builds of more than an hour ago that no process runs: a server loads parts of its build when it needs them first, days
 * after it was started. Without /proc all are kept.
 */
export function removeOldBuilds(builds: string, current: string): void {
  const lines = commandLines();
  if (lines === null) return;
  for (const name of readdirSync(builds)) {
    const build = join(builds, name);
    const stat = statSync(build, { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true || build === current) continue;
    if (Date.now() - stat.mtimeMs < keptMs || lines.some((line) => line.includes(`/${basename(build)}/`)))
      continue;
    rmSync(build, { recursive: true, force: true });
  }
}

function commandLines(): readonly string[] | null {
  try {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
  } catch {
    return null;
  }
}

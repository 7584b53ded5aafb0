import { readFile } from "node:fs/promises";
import { findProgram, runProgram } from "../run-program.ts";

/** What only root may do. */
export interface RootTools {
  /** Shows a folder in another place. */
  bind(from: string, at: string): Promise<void>;
  /** Makes a folder a mount of its own, on which later mounts show in the sandboxes that were given it. */
  share(at: string): Promise<void>;
  /** Takes away everything that is mounted at these places, the topmost first. Idempotent. */
  unmount(places: readonly string[]): Promise<void>;
}

/** With the system's own programs, or the sentence that says which is missing. */
export function findRootTools(): RootTools | string {
  const mount = findProgram("mount");
  const umount = findProgram("umount");
  if (mount === null || umount === null) return "mount is not installed: apt-get install mount.";
  return {
    async bind(from, at) {
      await runProgram(mount, ["-n", "--bind", "-o", "nosuid,nodev", "--", from, at]);
    },
    async share(at) {
      await runProgram(mount, ["-n", "--bind", "--make-shared", "--", at, at]);
    },
    unmount: inBatches(async (places) => {
      const mounted = await mountedAt(places);
      // Lazily: what still uses one of them is dead or dying, and nobody new finds it.
      if (mounted.length > 0) await runProgram(umount, ["-n", "-l", "--", ...mounted]);
    }),
  };
}

/** Does together what is asked for while it is at work: the end of 100 sandboxes is two calls of umount and not 100. */
function inBatches(work: (places: readonly string[]) => Promise<void>): RootTools["unmount"] {
  let asked: string[] = [];
  let next: Promise<void> | null = null;
  let current: Promise<void> = Promise.resolve();
  return async (places) => {
    if (places.length === 0) return;
    asked.push(...places);
    next ??= current.then(() => {
      const batch = asked;
      asked = [];
      next = null;
      const done = work(batch);
      current = done.catch(() => undefined);
      return done;
    });
    await next;
  };
}

/** Each mount at one of these places, the topmost first; a place with two mounts on it is there twice. */
async function mountedAt(places: readonly string[]): Promise<string[]> {
  const wanted = new Set(places);
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n");
  return lines
    .map((line) => plain(line.split(" ")[4] ?? ""))
    .filter((at) => wanted.has(at))
    .toReversed();
}

/** Blanks and the like are written as octal numbers. */
function plain(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}

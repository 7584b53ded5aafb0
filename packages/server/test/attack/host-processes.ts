import { readdir, readFile } from "node:fs/promises";

/** Processes of this machine whose command line has this text, those in sandboxes included. */
export async function processesWith(marker: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, "utf8").catch(() => "");
    if (line.includes(marker)) found.push(Number(name));
  }
  return found;
}

/** What is left of them after at most this long, milliseconds. */
export async function leftAfter(marker: string, ms: number): Promise<number> {
  const until = performance.now() + ms;
  for (;;) {
    const left = (await processesWith(marker)).length;
    if (left === 0 || performance.now() > until) return left;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Ends what outlived an attack: the mark is that attack's alone, so whoever has it was started by it. */
export async function endMarked(marker: string): Promise<void> {
  for (const pid of await processesWith(marker)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
  }
}

// Commands whose disk is full say so in one sentence, with what to do, and leave nothing on it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mountSmallDisk } from "../../chaos/disk/small-disk.ts";

const root = join(import.meta.dirname, "../../../../..");
const bench = join(root, "scripts/bench.ts");
const sim = join(root, "packages/server/test/simulation/sim.ts");

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

async function run(args: readonly string[], folder: string): Promise<Ended> {
  // What Node keeps of compiled modules is not what fills the disk.
  const env = { ...process.env, TMPDIR: folder, NODE_COMPILE_CACHE: join(root, ".tools/compile-cache") };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}

describe("on a full disk", { timeout: 60_000 }, () => {
  it.for([
    { name: "a bench in its own process", args: [bench, "appends"], remedy: "--dir" },
    { name: "a bench of servers and children", args: [bench, "turns"], remedy: "--dir" },
    { name: "the planted bugs", args: [sim, "--mutants"], remedy: "TMPDIR" },
  ])("$name end with 1 and a sentence", async ({ args, remedy }, { skip }) => {
    const disk = mountSmallDisk(1);
    if (typeof disk === "string") return skip(disk);
    try {
      const { code, said } = await run(args, disk.folder);
      expect(said.trim()).toMatch(
        /^The disk is full: \S.* could not be written\. The disk of \S+ has \d+ MB and \d+ files free\. Make room there, or name another folder (with|in) \S+\.$/,
      );
      expect(said).toContain(remedy);
      expect(code).toBe(1);
      expect(readdirSync(disk.folder)).toEqual([]);
    } finally {
      disk.unmount();
    }
  });
});

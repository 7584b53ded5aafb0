import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Finding, Row } from "../row.ts";
import type { RemoteFiles, Runner } from "../target.ts";

const seconds = 4;
const secret = "sentinel of the race";

/** Changes a folder for a link to one outside and back, as fast as it can. */
const flipper = (outside: string) => `
import ctypes, os, time
libc = ctypes.CDLL(None)
exchange = 316 if os.uname().machine == "x86_64" else 276
try: os.symlink(${JSON.stringify(outside)}, "link")
except OSError: pass
print("flipping", flush=True)
until = time.monotonic() + ${seconds}; flips = 0
while time.monotonic() < until:
    for _ in range(200): libc.syscall(exchange, -100, b"race", -100, b"link", 2)
    flips += 200
print("FLIPS", flips)`;

async function race(place: Runner & { readonly files: RemoteFiles }, outside: string): Promise<Finding> {
  const folder = join(outside, "race-outside");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "file"), secret);
  try {
    await place.run("mkdir race && printf inside >race/file");
    const flipping = place.run("/usr/bin/python3 -", { stdin: flipper(folder) });
    const over = new AbortController();
    void flipping.then(
      () => over.abort(),
      () => over.abort(),
    );
    let tried = 0;
    let leaked = 0;
    while (!over.signal.aborted) {
      const reads = Array.from({ length: 8 }, () => place.files.read("race/file").catch(() => ""));
      tried += reads.length;
      leaked += (await Promise.all(reads)).filter((text) => text.includes(secret)).length;
      await place.files.write("race/new", "from the attack").catch(() => undefined);
      // Files of a joined path are read so quickly that the flipper would not come to run.
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { output } = await flipping;
    const written = (await readdir(folder)).filter((name) => name !== "file").length;
    const leaks: string[] = [];
    if (leaked > 0) leaks.push(`${leaked} of ${tried} reads gave the file outside`);
    if (written > 0) leaks.push("a file was written outside");
    if (!output.includes("FLIPS")) leaks.push(`the probe did not run: ${output.slice(0, 200)}`);
    return { leaks, seen: `${tried} reads and writes in ${seconds} s of renames` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const raceRows: readonly Row[] = [
  {
    id: "SBX-05",
    name: "Renames in the middle of an access",
    run: async (target) => race(await target.tenant(), target.outside),
    naive: (host) => race(host, host.outside),
  },
];

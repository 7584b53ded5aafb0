import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import type { SandboxFiles } from "../sandbox.ts";
import { createFiles } from "./files.ts";
import { createSearch, type Search } from "./search.ts";

const inLinux = process.platform === "linux";

let folder: string;
let search: Search;
let files: SandboxFiles;
const left: unknown[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "berth-hostile-trees-")));
  const place = {
    root: join(folder, "workspace"),
    staging: join(folder, "staging"),
    trash: join(folder, "trash"),
  };
  for (const path of Object.values(place)) await mkdir(path);
  search = createSearch({ clock: systemClock });
  left.length = 0;
  files = createFiles({ use: (call) => call(place), search, onLeft: (thrown) => left.push(thrown) });
});
afterEach(async () => {
  await search.close();
  await rm(folder, { recursive: true, force: true });
});

it("SBX-10 tells no more of a tree than a server has memory for", { timeout: 60_000 }, async () => {
  const target = "x".repeat(4_000);
  for (let at = 0; at < 5_000; at++) await symlink(target, join(folder, "workspace", `${at}`));
  const { items, truncated } = await files.tree("");
  expect(truncated).toBe(true);
  expect(items.length).toBeGreaterThan(4_000);
});

/** A path in the workspace whose last name is no valid UTF-8. */
function unnamed(path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/workspace/${path}`), Buffer.from([0x62, 0xff])]);
}

it.runIf(inLinux)(
  "SBX-06 says of a tree with names that are not text that it could not all be told",
  async () => {
    await files.write("a/file", new Uint8Array(1));
    await files.write("a/\uFFFD", new Uint8Array(1));
    const paths = ["a", "a/file", "a/\uFFFD"];
    expect(await files.tree("")).toMatchObject({ items: paths.map((path) => ({ path })), truncated: false });
    await writeFile(unnamed("a/"), "not told, and never to be lost for it");
    expect(await files.tree("")).toMatchObject({ items: paths.map((path) => ({ path })), truncated: true });
  },
);

it.runIf(inLinux)(
  "SBX-10 deletes what no text names, in folders that no text names, however many they are",
  async () => {
    for (const [name, count] of Object.entries({ few: 2, many: 100 })) {
      await mkdir(join(folder, "workspace", name));
      await writeFile(unnamed(`${name}/file`), "x");
      for (let at = 0; at < count; at++) {
        await mkdir(unnamed(`${name}/${at}`));
        await writeFile(Buffer.concat([unnamed(`${name}/${at}`), Buffer.from("/file")]), "x");
      }
      expect(await files.remove(name)).toBe(true);
      expect(left).toEqual([]);
      expect(await readdir(join(folder, "trash"))).toEqual([]);
    }
  },
);

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { makeDataFolder } from "./data-folder.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const victim = new URL("../../../test/support/store/victim.ts", import.meta.url).pathname;

describe("the data folder", { timeout: 90_000 }, () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-folder-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is made with its parents, for its owner alone, and may be there already", async () => {
    const dataDir = join(folder, "a/b/c");
    makeDataFolder(dataDir);
    makeDataFolder(dataDir);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it("cannot be a file, nor lie below one", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    const unusable = expect.objectContaining({ code: "data_dir_unusable" });
    expect(() => makeDataFolder(file)).toThrow(/it is no folder/);
    for (const path of [file, join(file, "x")]) expect(() => makeDataFolder(path)).toThrow(unusable);
  });

  it.runIf(existsSync("/proc/self"))("is refused at once where no folder can be made", async () => {
    for (const dataDir of ["/proc/berth", "/proc/berth/x", "/proc/self"]) {
      const opened = openSqliteStore({ dataDir, clock: createManualClock() });
      await expect(opened).rejects.toMatchObject({ code: "data_dir_unusable" });
    }
  });

  it("says what to do when its file system, or what lies in it, is read-only", async () => {
    const holder = join(folder, "berth.lock.json.tmp");
    await writeFile(holder, "");
    for (const readOnly of [folder, holder]) {
      const view = ["--die-with-parent", "--dev-bind", "/", "/", "--ro-bind", readOnly, readOnly];
      const command = [...view, process.execPath, victim, folder];
      const opening = spawnSync("bwrap", command, { encoding: "utf8", timeout: 30_000 });
      expect(opening.status).not.toBe(0);
      expect(opening.stderr).toContain("EROFS");
      expect(opening.stderr).toContain("mount its file system for writing");
    }
    const writable = await openSqliteStore({ dataDir: folder, clock: createManualClock() });
    await writable.close();
  });
});

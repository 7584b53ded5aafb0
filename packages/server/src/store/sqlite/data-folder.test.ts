import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { makeDataFolder } from "./data-folder.ts";
import { openSqliteStore } from "./sqlite-store.ts";

describe("the data folder", () => {
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
});

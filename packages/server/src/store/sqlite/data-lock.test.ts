import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { BerthError } from "../../lib/errors.ts";
import { lockDataDir } from "./data-lock.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const victim = new URL("../../../test/support/store/victim.ts", import.meta.url).pathname;

describe("the lock of a data folder", () => {
  const clock = createManualClock();
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-lock-"));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  const open = () => openSqliteStore({ dataDir, clock });
  const refusal = async () => (await open().catch((thrown: unknown) => thrown)) as BerthError;

  it("refuses a second store and says who holds the folder and where it answers", async () => {
    const store = await open();
    const started = new Date(clock.now()).toISOString();
    const before = await refusal();
    expect(before.code).toBe("data_dir_in_use");
    expect(before.message).toContain(`Berth process ${process.pid} on ${hostname()}, started ${started}:`);
    store.describe("http://127.0.0.1:7420");
    const after = await refusal();
    expect(after.message).toContain("at http://127.0.0.1:7420");
    expect(after.details["holder"]).toEqual({
      pid: process.pid,
      host: hostname(),
      startedAt: started,
      url: "http://127.0.0.1:7420",
    });
    await expect(store.system.ping()).resolves.toBeUndefined();
    await store.close();
    await (await open()).close();
  });

  it("holds against another process, and falls with it", { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [victim, dataDir], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("close", resolve));
    for await (const line of createInterface({ input: child.stdout })) if (line === "open") break;
    const refused = await refusal();
    expect(refused.code).toBe("data_dir_in_use");
    expect(refused.message).toContain(`Berth process ${child.pid}`);
    child.kill("SIGKILL");
    await ended;
    await (await open()).close();
  });

  it("gives the folder to one of two that start at once", async () => {
    const both = await Promise.allSettled([open(), open()]);
    const won = both.filter((result) => result.status === "fulfilled");
    expect(won).toHaveLength(1);
    await won[0]?.value.close();
  });

  it("is released when the store cannot be opened", async () => {
    await writeFile(join(dataDir, "berth.db"), "text that is no database, and long enough".repeat(50));
    expect((await refusal()).code).toBe("store_unavailable");
    expect(existsSync(join(dataDir, "berth.lock.json"))).toBe(false);
    await rm(join(dataDir, "berth.db"));
    await (await open()).close();
  });

  it("is not asked for in a folder that cannot be one", async () => {
    await writeFile(join(dataDir, "file"), "");
    const refused = await openSqliteStore({ dataDir: join(dataDir, "file"), clock }).catch(
      (thrown: unknown) => thrown,
    );
    expect((refused as BerthError).code).toBe("data_dir_unusable");
  });

  it("may be released twice, and then belongs to who took it next", () => {
    const first = lockDataDir(dataDir, clock.now());
    first.release();
    const second = lockDataDir(dataDir, clock.now());
    first.release();
    first.describe("http://gone");
    expect(() => lockDataDir(dataDir, clock.now())).toThrow(
      /in use by Berth process \d+ on [^,]+, started [^,]+:/,
    );
    second.release();
  });
});

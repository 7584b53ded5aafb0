import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { unzip } from "../../../test/support/store/unzip.ts";
import { createDiskExports } from "./export-files.ts";

const run = promisify(execFile);

async function* pieces(...all: (string | Uint8Array)[]) {
  yield* all;
}

describe("files of exports", () => {
  let dataDir = "";
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "berth-exports-"));
  });
  afterEach(() => rm(dataDir, { recursive: true }));

  it("are archives that give back what was put into them", async () => {
    const files = createDiskExports({ dataDir });
    const id = newId("export");
    const writer = await files.create(id);
    const long = "line\n".repeat(200_000);
    await writer.add("agents.jsonl", pieces("{}\n", "{}\n"));
    await writer.add("sessions/ses_1/log.jsonl", pieces(long));
    await writer.add("blobs/ä", pieces(Buffer.from([0, 255, 1])));
    await writer.add("empty", pieces());
    const { bytes, sha256 } = await writer.finish();
    const read = await files.read(id);
    const got: Uint8Array[] = [];
    for await (const piece of read?.pieces ?? []) got.push(piece);
    const whole = Buffer.concat(got);
    expect([read?.size, whole.byteLength]).toEqual([bytes, bytes]);
    expect(createHash("sha256").update(whole).digest("hex")).toBe(sha256);
    const entries = unzip(whole);
    expect([...entries.keys()]).toEqual(["agents.jsonl", "sessions/ses_1/log.jsonl", "blobs/ä", "empty"]);
    expect(entries.get("agents.jsonl")?.toString()).toBe("{}\n{}\n");
    expect(entries.get("sessions/ses_1/log.jsonl")?.toString()).toBe(long);
    expect(entries.get("blobs/ä")).toEqual(Buffer.from([0, 255, 1]));
    expect(bytes).toBeLessThan(10_000);
    await files.delete(id);
    expect(await files.read(id)).toBeNull();
  });

  it("are read by a tool that is not ours", async (context) => {
    const files = createDiskExports({ dataDir });
    const id = newId("export");
    const writer = await files.create(id);
    await writer.add("a/b.txt", pieces("hello"));
    await writer.finish();
    const list =
      "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),z.namelist(),z.read('a/b.txt'))";
    const python = await run("python3", ["-c", list, join(dataDir, "exports", `${id}.zip`)]).catch(
      (thrown: unknown) => {
        if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") return null;
        throw thrown;
      },
    );
    if (python === null) return context.skip("there is no python3 to read it with");
    expect(python.stdout.trim()).toBe("None ['a/b.txt'] b'hello'");
  });

  it("leave nothing when their content cannot be read, and are not named by others", async () => {
    const files = createDiskExports({ dataDir });
    const id = newId("export");
    const writer = await files.create(id);
    async function* broken() {
      yield "some";
      throw new Error("the disk went away");
    }
    await expect(writer.add("x", broken())).rejects.toThrow("the disk went away");
    await writer.abandon();
    expect(await readdir(join(dataDir, "exports"))).toEqual([]);
    await expect(files.read("../../etc/passwd")).rejects.toMatchObject({ code: "internal" });
  });
});

import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ExtractedArchive, FileEntry } from "@berth/client";
import { describe, expect, it } from "vitest";
import { useCliRig } from "../../support/cli/cli-rig.ts";

const start = useCliRig();
const run = promisify(execFile);

describe("berth sessions files", () => {
  async function session() {
    const rig = await start();
    await rig.agent();
    const { id } = await rig.client.sessions.create({ agent: "tester" });
    const here = join(rig.data, "here");
    await mkdir(here);
    const berth = async (verb: string, ...args: string[]) => {
      const told = await rig.berth("sessions", "files", verb, id, ...args);
      return told;
    };
    return { berth, here };
  }

  it("uploads, lists, downloads and deletes files", async () => {
    const { berth, here } = await session();
    expect((await berth("list")).out).toBe("There are no files.\n");
    await writeFile(join(here, "data.csv"), "a,b\n");
    expect(await berth("upload", join(here, "data.csv"), "--to", "in/data.csv")).toMatchObject({
      code: 0,
      out: "in/data.csv  4 B\n",
      err: "",
    });
    const listed = await berth("list", "--depth", "2", "--json");
    expect((JSON.parse(listed.out) as FileEntry[]).map(({ path }) => path)).toEqual(["in", "in/data.csv"]);
    const to = join(here, "back.csv");
    expect((await berth("download", "in/data.csv", "--to", to)).out).toBe(`${to}\n`);
    expect(await readFile(to, "utf8")).toBe("a,b\n");
    expect((await berth("delete", "in")).code).toBe(0);
    const none = await berth("download", "in/data.csv", "--to", to);
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("in/data.csv")]);
    // What was here before is still whole, and nothing half-written lies beside it.
    expect((await readdir(here)).toSorted()).toEqual(["back.csv", "data.csv"]);
  });

  it("takes a workspace as an archive and writes one into it", async () => {
    const { berth, here } = await session();
    await mkdir(join(here, "tree/deep"), { recursive: true });
    await writeFile(join(here, "tree/deep/f"), "content");
    await run("tar", ["-C", join(here, "tree"), "-czf", join(here, "in.tar.gz"), "."]);
    expect((await berth("extract", join(here, "in.tar.gz"), "--path", "src")).out).toBe("1 files, 7 B.\n");
    const to = join(here, "out.tar.gz");
    expect((await berth("archive", "--to", to)).out).toBe(`${to}\n`);
    const { stdout } = await run("tar", ["-xzOf", to, "src/deep/f"]);
    expect(stdout).toBe("content");
    await run("tar", ["-C", here, "-cf", join(here, "bad.tar"), "--transform=s,^,../,", "-P", "in.tar.gz"]);
    const refused = await berth("extract", join(here, "bad.tar"));
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("inside the workspace")]);
    const again = await berth("extract", join(here, "in.tar.gz"), "--json");
    expect(JSON.parse(again.out) as ExtractedArchive).toEqual({ files: 1, bytes: 7, skipped: 0 });
  });
});

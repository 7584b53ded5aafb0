import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { viewOfMachine } from "./system-view.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-view-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("leaves the files of living sandboxes whole when another server starts", async () => {
  const etc = join(folder, "etc");
  await viewOfMachine(etc);
  const before = await stat(`${etc}/passwd`);
  await viewOfMachine(etc);
  expect((await stat(`${etc}/passwd`)).ino).toBe(before.ino);
  // Those of an older version are replaced: who has them open goes on with them.
  await writeFile(`${etc}/passwd`, "older\n");
  const file = await open(`${etc}/passwd`);
  await viewOfMachine(etc);
  expect(await file.readFile("utf8")).toBe("older\n");
  await file.close();
  expect(await readFile(`${etc}/passwd`, "utf8")).toContain("user:x:1000");
  expect(await readdir(folder)).toEqual(["etc"]);
});

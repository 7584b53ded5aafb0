import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type OpenNaiveHost, openNaiveHost } from "./naive-host.ts";

// What proves detectors holds nothing back inside of its own folder. These are the walls around that folder.
let others = "";
let host: OpenNaiveHost;
beforeEach(async () => {
  others = await mkdtemp(join(tmpdir(), "berth-others-"));
  await writeFile(join(others, "file"), "not yours");
  host = await openNaiveHost();
});
afterEach(async () => {
  await host.close();
  await rm(others, { recursive: true });
});

it("files of others are not changed by any path", async () => {
  const theirs = join("..", "..", others.slice(tmpdir().length + 1), "file");
  expect(await host.files.read(theirs)).toBe("not yours");
  for (const path of ["..", "../", ".", "", "../..", "../../..", theirs, "../../../../../etc/hostname"]) {
    await expect(host.files.remove(path)).rejects.toThrow("not ours to change");
    await expect(host.files.write(path, "x")).rejects.toThrow("not ours to change");
    await expect(host.files.move(path, "moved")).rejects.toThrow("not ours to change");
  }
  expect((await stat(host.folder)).isDirectory()).toBe(true);
  expect(await readFile(join(others, "file"), "utf8")).toBe("not yours");
});

it("commands see neither the files nor the processes of others, and write nowhere but here", async () => {
  const { output } = await host.run(
    `ls ${others}; touch /usr/x /etc/x; ls -d /proc/[0-9]* | wc -l; echo mine >file; cat file`,
  );
  expect(output).toContain("No such file");
  expect(output.match(/Read-only file system/g)).toHaveLength(2);
  expect(Number(/^(\d+)$/m.exec(output)?.[1])).toBeLessThan(10);
  expect(output).toContain("mine");
});

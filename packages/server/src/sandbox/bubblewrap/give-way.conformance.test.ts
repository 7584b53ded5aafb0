import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recordsOf } from "../../../test/support/sandbox/bubblewrap-remains.ts";
import { type BubblewrapRig, makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { makeSandbox } from "../sandbox-harness.conformance.ts";

let folder: string;
let rig: BubblewrapRig;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-give-way-"));
  rig = await makeBubblewrap({ dataDir: folder });
});
afterEach(async () => {
  await rig.close();
  await rm(folder, { recursive: true });
});

it("SBX-11 a sandbox that takes a processor runs behind others until it takes less, as the kernel says", async () => {
  const { provider } = rig;
  const { sandbox } = await makeSandbox({
    provider,
    host: "local",
    outsideFile: null,
    readOutside: async () => "",
    close: async () => undefined,
  });
  const groups = recordsOf(folder).flatMap((record) => record.groups);
  const cpu = groups.find((group) => existsSync(`${group}/cpu.idle`)) ?? "";
  const said = () =>
    ["cpu.idle", "cpu.shares", "cpu.weight"]
      .filter((file) => existsSync(`${cpu}/${file}`))
      .map((file) => Number(readFileSync(`${cpu}/${file}`, "utf8")));
  const before = said();
  expect(before[0]).toBe(0);
  // More than one, so that it takes its share beside other work too; what a look sees may last for one look only.
  const burn = "for i in 1 2 3 4; do timeout 25 bash -c 'while :; do :; done' & done; wait";
  const { id } = await sandbox.spawn({ command: burn });
  await expect.poll(() => said()[0], { timeout: 20_000, interval: 10 }).toBe(1);
  await sandbox.kill(id);
  await expect.poll(said).toEqual(before);
  expect(rig.warnings).toEqual([]);
}, 60_000);

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BubblewrapRig, makeBubblewrap } from "../../../test/support/sandbox/bubblewrap-rig.ts";
import { newId } from "../../lib/id.ts";
import type { Sandbox } from "../sandbox.ts";
import { newLife, policy } from "../sandbox-harness.conformance.ts";

const mebibyte = 1024 * 1024;
const small = {
  ...policy,
  limits: { ...policy.limits, diskBytes: 24 * mebibyte, inodes: 300, memoryBytes: 128 * mebibyte },
};
const timeoutMs = 25_000;

/** Commands that go beyond 24 MiB or 300 files, and then wait to be ended. */
const fills = {
  "one large file": "head -c 40M /dev/zero > large; sleep 20",
  "many small files": "mkdir many; for i in $(seq 400); do : > many/$i; done; sleep 20",
  "a file that has no name any more": "exec 3> gone; rm gone; head -c 40M /dev/zero >&3; sleep 20",
  "a process that left its session": "setsid sh -c 'head -c 40M /dev/zero > large; sleep 20' & wait",
} as const;

describe("a workspace whose size is only watched", () => {
  let folder: string;
  let rig: BubblewrapRig;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "berth-watched-"));
    rig = await makeBubblewrap({ dataDir: join(folder, "data"), quota: "watched" });
  });
  afterEach(async () => {
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function make({ warm = false } = {}): Promise<Sandbox> {
    const { provider } = rig;
    const workspaceId = newId("workspace");
    const ref = { id: newId("sandbox"), host: "local" };
    const life = newLife();
    await provider.workspaces.create({ id: workspaceId, host: "local" }, small.limits);
    await provider.create(ref, { template: "t", policy: small, ...(warm ? {} : { workspaceId }) }, life);
    if (warm) await provider.attach(ref, { incarnation: life.incarnation, workspaceId });
    return await provider.connect(ref);
  }

  for (const [name, command] of Object.entries(fills)) {
    it(`SBX-10 ends what fills it: ${name}`, async () => {
      const [sandbox, other] = [await make(), await make()];
      const bystander = await other.spawn({ command: "sleep 30" });
      const result = await sandbox.exec({ command, timeoutMs });
      expect(result).toMatchObject({ reason: "disk_full" });
      expect(result.durationMs).toBeLessThan(15_000);
      expect((await other.processes()).find(({ id }) => id === bystander.id)?.running).toBe(true);
    });
  }

  it("SBX-10 ends what fills it in the background, in one that was warm, and in a sandbox of its own", async () => {
    const sandbox = await make({ warm: true });
    const { id } = await sandbox.spawn({ command: fills["one large file"] });
    const alone = await sandbox.exec({ command: "sleep 20", oneshot: true, timeoutMs });
    expect(alone.reason).toBe("disk_full");
    await expect.poll(async () => (await sandbox.logs(id))?.process.running, { timeout: 10_000 }).toBe(false);
    await sandbox.files.remove("large");
    expect(await sandbox.exec({ command: "sleep 3; echo on", timeoutMs })).toMatchObject({ output: "on\n" });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Allocation } from "./create-allocation.ts";

let rig: AllocationRig;
let allocation: Allocation;
beforeEach(() => {
  rig = openRig();
  allocation = rig.start();
});
afterEach(() => rig.close());

const minute = 60_000;
const hour = 60 * minute;
const hold = { command: "hold", timeoutMs: 1_000 };
const run = { command: "true", timeoutMs: 1_000 };
const ids = () => rig.provider.instances().map(({ ref }) => ref.id);

describe("a sandbox that has lived its time", () => {
  it("ends as soon as nothing goes on in it", async () => {
    const { exec } = await held();
    for (let passed = 0; passed < 4 * 60; passed += 10) {
      expect(await exec()).toMatchObject({ reason: "exit" });
      await rig.clock.advance(10 * minute);
    }
    await rig.clock.advance(10_000);
    await expect(exec()).rejects.toMatchObject({ code: "sandbox_gone" });
    expect((await allocation.directory.allocations("org_1", { limit: 1 })).items[0]?.endReason).toBe(
      "max_life",
    );
  });

  it("ends at once when it is only held open; the next command gets a fresh one with the same files", async () => {
    const { request, sandbox, id } = await held();
    await sandbox.files.write("kept", Buffer.from("x"));
    const followed = follow(sandbox);
    await rig.clock.advance(4 * hour - minute);
    expect(ids()).toEqual([id]);
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([]);
    await followed;
    const next = await allocation.sandboxes.connect(request);
    expect(next.id).not.toBe(id);
    expect(await next.files.stat("kept")).not.toBeNull();
  });

  it("ends ten minutes later also when commands never cease in it", async () => {
    const { id, sandbox } = await held();
    const endings = new AbortController();
    const ended = sandbox.exec({ ...hold, signal: endings.signal });
    const other = sandbox.exec(hold);
    await rig.clock.advance(4 * hour + 9 * minute);
    expect(ids()).toEqual([id]);
    // One of two has ended: the other may still go on.
    endings.abort();
    await ended;
    await rig.clock.advance(30_000);
    expect(ids()).toEqual([id]);
    await rig.clock.advance(minute);
    expect(ids()).toEqual([]);
    expect(await other).toMatchObject({ reason: "killed" });
  });

  it("ends when its last command has ended, whatever is held open", async () => {
    const { id, sandbox } = await held();
    const followed = follow(sandbox);
    const endings = new AbortController();
    const last = sandbox.exec({ ...hold, signal: endings.signal });
    await rig.clock.advance(4 * hour + 2 * minute);
    expect(ids()).toEqual([id]);
    endings.abort();
    await last;
    await rig.clock.advance(10_000);
    expect(ids()).toEqual([]);
    await followed;
  });

  it("ends ten minutes later also when another server's client holds it open", async () => {
    const { request, id } = await held();
    const other = rig.start();
    const followed = follow(await other.sandboxes.connect(request));
    await rig.clock.advance(4 * hour + 9 * minute);
    expect(ids()).toEqual([id]);
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([]);
    await followed;
  });
});

async function held() {
  const request = await rig.session();
  const sandbox = await allocation.sandboxes.connect(request);
  return { request, sandbox, id: sandbox.id, exec: () => sandbox.exec(run) };
}

/** Holds on to what a process says until the sandbox ends. */
async function follow(sandbox: Sandbox): Promise<void> {
  const { id } = await sandbox.spawn({ command: "hold" });
  for await (const event of sandbox.attach(id)) expect(event.type).not.toBe("end");
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Allocation } from "./create-allocation.ts";
import type { SandboxRequest } from "./session-sandboxes.ts";

let rig: AllocationRig;
beforeEach(() => {
  rig = openRig();
});
afterEach(() => rig.close());

const hold = { command: "hold", timeoutMs: 1_000 };
const run = { command: "true", timeoutMs: 1_000 };
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: { code: string; details: Readonly<Record<string, unknown>> }) => error,
  );

async function connected(
  { sandboxes }: Allocation,
  count: number,
  owner = {},
): Promise<{ request: SandboxRequest; sandbox: Sandbox }[]> {
  const made = [];
  for (let at = 0; at < count; at++) {
    const request = await rig.session(owner);
    made.push({ request, sandbox: await sandboxes.connect(request) });
    await rig.clock.advance(1_000);
  }
  return made;
}

describe("quotas", () => {
  it("over the user's quota the oldest idle one is recycled: ended, and its workspace kept", async () => {
    const allocation = rig.start({ perUser: 2 });
    const [first, second] = await connected(allocation, 2);
    await first?.sandbox.files.write("kept", Buffer.from("x"));
    await first?.sandbox.exec(run);
    const third = await rig.session();
    const { id } = await allocation.sandboxes.connect(third);
    expect(rig.provider.destroyed).toEqual([second?.sandbox.id]);
    expect(rig.provider.instances().map(({ ref }) => ref.id)).toEqual([first?.sandbox.id, id]);
    await expect(second?.sandbox.exec(run)).rejects.toMatchObject({ code: "sandbox_gone" });
    await rig.clock.advance(1_000);
    // Its session comes back: a fresh sandbox, in the place of the one that is idle longest now.
    await allocation.sandboxes.connect(second?.request ?? third);
    expect(rig.provider.destroyed).toEqual([second?.sandbox.id, first?.sandbox.id]);
    expect(await (await allocation.sandboxes.files(first?.request ?? third))?.stat("kept")).not.toBeNull();
    const { items } = await allocation.directory.allocations("org_1", { limit: 9, isActive: false });
    expect(items.map(({ endReason }) => endReason)).toEqual(["recycled", "recycled"]);
  });

  it("SCH-02: all busy is waited for and refused in time, with when to come back", async () => {
    const allocation = rig.start({ perUser: 1 });
    const [only] = await connected(allocation, 1);
    const running = only?.sandbox.exec(hold);
    const asked = refusal(allocation.sandboxes.connect(await rig.session()));
    await rig.clock.advance(29_000);
    await rig.clock.advance(2_000);
    const { code, details } = (await asked) ?? { code: "given", details: {} };
    expect(code).toBe("sandbox_quota");
    expect(details["retryAfterMs"]).toBeGreaterThan(0);
    expect(rig.provider.endedBusy).toEqual([]);
    await allocation.sandboxes.release(only?.request ?? (await rig.session()));
    expect((await running)?.reason).toBe("killed");
  });

  it("who waits gets the place of a command that ends, in the order of arrival", async () => {
    const allocation = rig.start({ perUser: 1 });
    const [only] = await connected(allocation, 1);
    const stop = new AbortController();
    const running = only?.sandbox.exec({ ...hold, signal: stop.signal });
    const order: string[] = [];
    const waiting = await Promise.all(
      ["first", "second"].map(async (name) => {
        const request = await rig.session();
        return { name, request };
      }),
    );
    const given = waiting.map(async ({ name, request }) => {
      const sandbox = await allocation.sandboxes.connect(request);
      order.push(name);
      return sandbox;
    });
    await rig.clock.advance(0);
    expect(order).toEqual([]);
    stop.abort();
    await running;
    await rig.clock.advance(5_000);
    await Promise.all(given);
    expect(order).toEqual(["first", "second"]);
    expect(rig.provider.instances()).toHaveLength(1);
  });

  it("who stops waiting leaves nothing behind", async () => {
    const allocation = rig.start({ perUser: 1 });
    const [only] = await connected(allocation, 1);
    const running = only?.sandbox.exec(hold);
    const stop = new AbortController();
    const asked = refusal(allocation.sandboxes.connect({ ...(await rig.session()), signal: stop.signal }));
    await rig.clock.advance(1_000);
    stop.abort();
    expect(await asked).toMatchObject({ code: "cancelled" });
    await allocation.sandboxes.release(only?.request ?? (await rig.session()));
    await running;
    await rig.clock.advance(1_000);
    expect(await rig.live()).toEqual([]);
    expect(rig.provider.instances()).toEqual([]);
  });

  it("one user's quota is nothing to another, nor one organization's", async () => {
    const allocation = rig.start({ perUser: 1, perOrg: 2, waitMs: 0 });
    const [mine] = await connected(allocation, 1);
    const running = mine?.sandbox.exec(hold);
    await connected(allocation, 1, { userId: "usr_2" });
    // The organization is full; nobody's sandbox but one's own is recycled.
    expect(await refusal(allocation.sandboxes.connect(await rig.session({ userId: "usr_3" })))).toMatchObject(
      {
        code: "sandbox_quota",
        details: { quota: "org", limit: 2 },
      },
    );
    await connected(allocation, 1, { orgId: "org_2", userId: "usr_1" });
    expect(rig.provider.destroyed).toEqual([]);
    await allocation.sandboxes.release(mine?.request ?? (await rig.session()));
    await running;
  });

  it("a host without room is waited for, and refused as such", async () => {
    const allocation = rig.start();
    const [first] = await connected(allocation, 1);
    rig.provider.room.slots = 1;
    const asked = refusal(allocation.sandboxes.connect(await rig.session({ userId: "usr_2" })));
    await rig.clock.advance(31_000);
    expect(await asked).toMatchObject({ code: "sandbox_capacity", details: { retryAfterMs: 5_000 } });
    const again = allocation.sandboxes.connect(await rig.session({ userId: "usr_2" }));
    await rig.clock.advance(1_000);
    await allocation.sandboxes.release(first?.request ?? (await rig.session()));
    await rig.clock.advance(1_000);
    expect((await again).id).toBe(rig.provider.instances()[0]?.ref.id);
  });

  it("SCH-02: two servers and 50 at once never exceed it", async () => {
    const servers = [rig.start({ perUser: 3, waitMs: 5_000 }), rig.start({ perUser: 3, waitMs: 5_000 })];
    const requests = await Promise.all(Array.from({ length: 50 }, () => rig.session()));
    let most = 0;
    rig.provider.faults.after = () => {
      most = Math.max(most, rig.provider.instances().length);
    };
    const asked = requests.map(async (request, at) => {
      const sandbox = await servers[at % 2]?.sandboxes.connect(request);
      return await sandbox?.exec({ command: "hold", timeoutMs: 1_000 });
    });
    const outcomes = Promise.allSettled(asked);
    await rig.clock.advance(10_000);
    const busy = rig.provider.instances().filter(({ running }) => running.size > 0);
    expect(busy).toHaveLength(3);
    expect(most).toBe(3);
    await Promise.all(servers.map(({ sandboxes }) => sandboxes.close()));
    const refused = (await outcomes).filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(47);
    for (const one of refused)
      expect(one).toMatchObject({ reason: { code: "sandbox_quota", details: { retryAfterMs: 5_000 } } });
    expect(rig.provider.endedBusy.every(({ reason }) => reason === "shutdown")).toBe(true);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { fakeLimits } from "../../test/support/sandbox/fake-provider.ts";
import { BerthError } from "../lib/errors.ts";
import type { Allocation } from "./create-allocation.ts";

let rig: AllocationRig;
let allocation: Allocation;
beforeEach(async () => {
  rig = openRig();
  allocation = rig.start();
  await allocation.sandboxes.reapLeftovers();
});
afterEach(() => rig.close());

const minute = 60_000;
const hour = 60 * minute;
const hold = { command: "hold", timeoutMs: 1_000 };
const run = { command: "true", timeoutMs: 1_000 };
const ids = () => rig.provider.instances().map(({ ref }) => ref.id);
const down = () => new BerthError("sandbox_host_error", "The host does not answer.", { retryable: true });
const metric = async (name: string) =>
  Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m").exec(await rig.telemetry.metrics.text())?.[1] ?? 0);

describe("taking back", () => {
  it("what is idle, and keeps its files; not what is busy", async () => {
    const [idle, busy] = [await rig.session(), await rig.session()];
    const first = await allocation.sandboxes.connect(idle);
    await first.files.write("kept", Buffer.from("x"));
    const second = await allocation.sandboxes.connect(busy);
    const running = second.exec(hold);
    await rig.clock.advance(14 * minute);
    expect(ids()).toEqual([first.id, second.id]);
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([second.id]);
    await rig.clock.advance(3 * hour);
    expect(ids()).toEqual([second.id]);
    expect(rig.provider.endedBusy).toEqual([]);
    const again = await allocation.sandboxes.connect(idle);
    expect(await again.files.stat("kept")).not.toBeNull();
    await allocation.sandboxes.release(busy);
    await running;
  });

  it("what belongs to a deleted session, with the files that it left", async () => {
    const request = await rig.session();
    await allocation.sandboxes.connect(request);
    await rig.store.org("org_1").deleteSession(request.sessionId);
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([]);
    expect(rig.provider.kept.size).toBe(0);
    expect(await rig.live()).toEqual([]);
  });

  it("SCH-08: a step of the wall clock ends nothing, forward or back, and the provider's own end is put off", async () => {
    const { id, exec } = await held();
    const other = rig.start();
    await other.sandboxes.reapLeftovers();
    for (const step of [hour, -hour, -hour, hour]) {
      rig.clock.stepWallClock(step);
      await rig.clock.advance(2 * minute);
      expect(ids()).toEqual([id]);
      expect(await exec()).toMatchObject({ reason: "exit" });
    }
  });

  it("SCH-08: a renewal that comes while it is ended changes nothing", async () => {
    const { request } = await held();
    rig.provider.faults.before = async (operation) => {
      if (operation === "destroy")
        await new Promise<void>((resolve) => void rig.clock.after(90_000, resolve));
    };
    const released = allocation.sandboxes.release(request);
    await rig.clock.advance(3 * minute);
    await released;
    expect(await rig.live()).toEqual([]);
    expect(ids()).toEqual([]);
  });

  it("SCH-11: is tried again until it succeeds, less and less often", async () => {
    const { request } = await held();
    let tries = 0;
    rig.provider.faults.before = (operation) => {
      if (operation === "destroy" && tries++ < 5) throw down();
    };
    await allocation.sandboxes.release(request);
    expect(await rig.live()).toMatchObject([{ state: "destroying", attempts: 1 }]);
    await rig.clock.advance(10 * minute);
    expect(tries).toBe(6);
    expect(ids()).toEqual([]);
    expect(await metric("berth_sandbox_destroy_retries_total")).toBe(5);
  });

  it("SCH-11: one that was half made leaves nothing, and the session gets another", async () => {
    let failures = 0;
    rig.provider.faults.after = (operation) => {
      if (operation === "create" && failures++ < 1) throw down();
    };
    const request = await rig.session();
    await expect(allocation.sandboxes.connect(request)).rejects.toMatchObject({ code: "sandbox_host_error" });
    expect(ids()).toEqual([]);
    expect(await rig.live()).toEqual([]);
    await allocation.sandboxes.connect(request);
    expect(ids()).toHaveLength(1);
  });

  it("SCH-11: a shutdown ends 100 at once, within its time also when one does not end", async () => {
    const many = rig.start({ perUser: 100, perOrg: 200 });
    for (let at = 0; at < 100; at++) await many.sandboxes.connect(await rig.session());
    let stuck = true;
    let together = 0;
    let most = 0;
    rig.provider.faults.before = async (operation) => {
      if (operation !== "destroy") return;
      most = Math.max(most, ++together);
      if (stuck) {
        stuck = false;
        await new Promise<void>(() => undefined);
      }
      await new Promise<void>((resolve) => void rig.clock.after(1_000, resolve));
      together -= 1;
    };
    const begun = rig.clock.monotonic();
    const closed = many.sandboxes.close().then(() => rig.clock.monotonic() - begun);
    await rig.clock.advance(15_000);
    expect(await closed).toBeLessThanOrEqual(10_000);
    expect(most).toBe(100);
    await expect(many.sandboxes.connect(await rig.session())).rejects.toMatchObject({ code: "sandbox_gone" });
    // What did not end is the next server's.
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([]);
    expect(await rig.live()).toEqual([]);
  });
});

describe("the sweep", () => {
  it("SCH-05: leaves other deployments' alone, and ends its own that no row knows after a while", async () => {
    rig.provider.addForeign("sbx_foreign", "dep_other");
    const deployment = await rig.store.system.sandboxes.deployment();
    await orphan(deployment);
    await rig.clock.advance(50_000);
    expect(ids()).toEqual(["sbx_foreign", "sbx_orphan"]);
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual(["sbx_foreign"]);
    expect(await metric("berth_sandbox_orphans_total")).toBe(1);
  });

  it("SCH-06: touches nothing that it cannot read, and says how much of it there is", async () => {
    rig.provider.faults.listed = (list) => ({ ...list, unreadable: 3 });
    await rig.clock.advance(5 * minute);
    expect(rig.provider.destroyed).toEqual([]);
    expect(await metric("berth_sandbox_foreign")).toBe(3);
  });

  it("SCH-07: does not end another incarnation", async () => {
    const { id } = await held();
    await expect(
      rig.provider.destroy({ id, host: "one" }, { incarnation: "an older one", reason: "orphan" }),
    ).rejects.toMatchObject({ code: "sandbox_stale" });
    expect(ids()).toEqual([id]);
  });

  it("SCH-10: a list that fails ends nothing, is told, and is asked for less and less often", async () => {
    const { id, exec } = await held();
    const deployment = await rig.store.system.sandboxes.deployment();
    await orphan(deployment);
    let asked = 0;
    rig.provider.faults.before = (operation) => {
      if (operation !== "list") return;
      asked += 1;
      throw down();
    };
    for (let passed = 0; passed < 60; passed += 10) {
      await rig.clock.advance(10 * minute);
      await rig.provider.renew({ id: "sbx_orphan", host: "one" }, { incarnation: "orphan", ttlMs: hour });
      await exec();
    }
    expect(ids()).toEqual([id, "sbx_orphan"]);
    expect(asked).toBeLessThan(25);
    expect(await metric("berth_sandbox_sweep_failures_total")).toBe(asked);
    rig.provider.faults.before = () => undefined;
    await rig.clock.advance(14 * minute);
    await exec();
    await rig.clock.advance(10 * minute);
    expect(ids()).toEqual([id]);
  });

  it("SCH-10: a list that misses one loses nothing that its host still has", async () => {
    const { id, exec } = await held();
    rig.provider.faults.listed = (list) => ({ ...list, items: [] });
    await rig.clock.advance(5 * minute);
    expect(await exec()).toMatchObject({ reason: "exit" });
    expect(await rig.live()).toMatchObject([{ id, state: "active" }]);
  });

  it("SCH-10: nothing is ended while the store does not answer", async () => {
    const { id } = await held();
    const deployment = await rig.store.system.sandboxes.deployment();
    await orphan(deployment);
    const live = vi
      .spyOn(rig.store.system.sandboxes, "live")
      .mockRejectedValue(
        new BerthError("store_unavailable", "The store does not answer.", { retryable: true }),
      );
    await rig.clock.advance(3 * minute);
    expect(ids()).toEqual([id, "sbx_orphan"]);
    live.mockRestore();
    await rig.clock.advance(2 * minute);
    expect(ids()).toEqual([id]);
  });

  it("finds what was lost, and keeps its files", async () => {
    const { id, request } = await held();
    rig.provider.lose(id);
    await rig.clock.advance(2 * minute);
    expect(await rig.live()).toEqual([]);
    const { items } = await allocation.directory.allocations("org_1", { limit: 1 });
    expect(items).toMatchObject([{ sandboxId: id, isActive: false, endReason: "lost" }]);
    expect(await allocation.sandboxes.files(request)).not.toBeNull();
    expect((await allocation.sandboxes.connect(request)).id).not.toBe(id);
  });
});

describe("several servers", () => {
  it("one goes on with what another left, and only when it is dead", async () => {
    const other = rig.start({}, { instanceId: "other" });
    const request = await rig.session();
    const { id } = await other.sandboxes.connect(request);
    await rig.clock.advance(5 * minute);
    expect(await rig.live()).toMatchObject([{ id, ownerInstance: "other" }]);
    // As after a kill: it says nothing any more.
    const { sandboxes } = rig.store.system;
    const writes = { beat: sandboxes.beat.bind(sandboxes) };
    vi.spyOn(sandboxes, "beat").mockImplementation((instance) =>
      instance === "other" ? new Promise<void>(() => undefined) : writes.beat(instance),
    );
    await rig.clock.advance(minute);
    expect((await rig.live())[0]?.ownerInstance).not.toBe("other");
    const adopted = await allocation.sandboxes.connect(request);
    expect(adopted.id).toBe(id);
    expect(ids()).toEqual([id]);
    // Its life does not begin anew: 4 hours since it was made, of which 6 minutes are over.
    for (let passed = 6; passed < 236; passed += 10) {
      await adopted.exec(run);
      await rig.clock.advance(10 * minute);
    }
    await adopted.exec(run);
    expect(ids()).toEqual([id]);
    await rig.clock.advance(5 * minute);
    expect(ids()).toEqual([]);
  });

  it("a sandbox that one uses is not taken back by the one that owns it", async () => {
    const other = rig.start();
    const request = await rig.session();
    const { id } = await allocation.sandboxes.connect(request);
    const guest = await other.sandboxes.connect(request);
    expect(guest.id).toBe(id);
    const running = guest.exec(hold);
    await rig.clock.advance(30 * minute);
    expect(ids()).toEqual([id]);
    expect(rig.provider.endedBusy).toEqual([]);
    await other.sandboxes.release(request);
    expect((await running).reason).toBe("killed");
    expect(ids()).toEqual([]);
  });
});

async function held() {
  const request = await rig.session();
  const sandbox = await allocation.sandboxes.connect(request);
  return { request, id: sandbox.id, exec: () => sandbox.exec(run) };
}

async function orphan(deployment: string): Promise<void> {
  await rig.provider.workspaces.create({ id: "wsp_orphan", host: "one" }, { diskBytes: 1, inodes: 1 });
  await rig.provider.create(
    { id: "sbx_orphan", host: "one" },
    { template: "t", policy: { limits: fakeLimits, egress: { allow: [] } }, workspaceId: "wsp_orphan" },
    { incarnation: "orphan", deployment, ttlMs: hour },
  );
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AllocationRig, openRig } from "../../test/support/sandbox/allocation-rig.ts";
import { BerthError } from "../lib/errors.ts";
import type { SandboxInfo } from "../sandbox/sandbox.ts";
import type { AllocationSettings } from "./allocation-settings.ts";
import type { Allocation } from "./create-allocation.ts";

let rig: AllocationRig;
beforeEach(() => {
  rig = openRig();
});
afterEach(() => rig.close());

/** A server whose pool is full. */
async function filled(settings: Partial<AllocationSettings>): Promise<Allocation> {
  const made = rig.start(settings);
  await made.sandboxes.reapLeftovers();
  // The pool makes a few at once, and more with each look.
  await rig.clock.advance(20_000);
  return made;
}

const ids = () => rig.provider.instances().map(({ ref }) => ref.id);

const unsupported = () => new BerthError("sandbox_unsupported", "This provider cannot.");

describe("the pool of warm sandboxes", () => {
  it("SCH-01: 200 claims at once on 10 warm: each is claimed once, the others are made", async () => {
    const { sandboxes } = await filled({ warm: 10, perUser: 100, perOrg: 1_000 });
    const warm = new Set(ids());
    expect(warm.size).toBe(10);
    rig.provider.faults.before = () => undefined;
    const requests = await Promise.all(
      Array.from({ length: 200 }, (_, at) => rig.session({ userId: `usr_${at % 20}` })),
    );
    const given = await Promise.all(requests.map((request) => sandboxes.connect(request)));
    expect(new Set(given.map(({ id }) => id)).size).toBe(200);
    expect(given.filter(({ id }) => warm.has(id))).toHaveLength(10);
    const active = (await rig.live()).filter(({ state }) => state === "active");
    expect(active).toHaveLength(200);
    expect(new Set(active.map(({ workspaceId }) => workspaceId)).size).toBe(200);
    await rig.clock.advance(30_000);
    // Refilled, and never above what it should be.
    expect((await rig.live()).filter(({ state }) => state === "warm")).toHaveLength(10);
  });

  it("SCH-09: at claim its life, policy and idle time are its session's own, as the provider tells them back", async () => {
    const { sandboxes, directory } = await filled({ warm: 1, idleTtlMs: 60_000 });
    await rig.clock.advance(4 * 60_000);
    const [before] = rig.provider.instances();
    const allow = [{ host: "api.example.com" }];
    const wish = { egress: { allow }, limits: { pids: 64 } };
    const { id } = await sandboxes.connect({ ...(await rig.session()), wish });
    expect(id).toBe(before?.ref.id);
    const info = await rig.provider.get({ id, host: "one" });
    expect(info).toMatchObject({
      policy: { egress: { allow }, limits: { pids: 64 } },
      ttlLeftMs: 5 * 60_000,
    });
    expect(await directory.find("org_1", id)).toMatchObject({ policy: { egress: { allow } } });
    // It was there for longer than the idle time, and is not taken for idle.
    await rig.clock.advance(50_000);
    expect(ids()).toContain(id);
    await rig.clock.advance(20_000);
    expect(ids()).not.toContain(id);
  });

  const lies: Readonly<Record<string, (info: SandboxInfo) => SandboxInfo>> = {
    "another policy": (info) => ({
      ...info,
      policy: { ...info.policy, egress: { allow: [{ host: "evil.test" }] } },
    }),
    "other limits": (info) => ({
      ...info,
      policy: { ...info.policy, limits: { ...info.policy.limits, memoryBytes: 1 } },
    }),
    "another workspace": (info) => ({ ...info, workspaceId: "wsp_other" }),
    "an end that was not put off": (info) => ({ ...info, ttlLeftMs: 1_000 }),
    "another incarnation": (info) => ({ ...info, incarnation: "other" }),
  };
  it.each(Object.entries(lies))("SCH-09: one that tells back %s is given to nobody", async (_, lie) => {
    const { sandboxes } = await filled({ warm: 1 });
    const [liar] = ids();
    rig.provider.faults.told = (info) => (info.id === liar ? lie(info) : info);
    const given = await sandboxes.connect(await rig.session());
    expect(given.id).not.toBe(liar);
    expect(rig.provider.destroyed).toContain(liar);
  });

  it("one that does not answer within 250 ms is passed over, at most three, then one is made", async () => {
    const { sandboxes } = await filled({ warm: 4, perUser: 1 });
    const warm = ids();
    rig.provider.faults.before = (operation) =>
      operation === "health" ? new Promise<void>(() => undefined) : undefined;
    const asked = sandboxes.connect(await rig.session());
    await rig.clock.advance(800);
    const { id } = await asked;
    expect(warm).not.toContain(id);
    expect(warm.filter((one) => ids().includes(one))).toHaveLength(1);
  });

  it("is left alone where a warm one cannot be given a workspace", async () => {
    const { sandboxes } = await filled({ warm: 2 });
    rig.provider.attach = () => Promise.reject(unsupported());
    const { id } = await sandboxes.connect(await rig.session());
    await rig.clock.advance(20_000);
    expect(ids()).toEqual([id]);
  });

  it("ends what is of another template or old, and rests after failures", async () => {
    const first = await filled({ warm: 2, template: "old" });
    expect(ids()).toHaveLength(2);
    await first.sandboxes.close();
    expect(ids()).toEqual([]);
    const second = await filled({ warm: 2, template: "new" });
    const before = ids();
    await rig.clock.advance(31 * 60_000);
    expect(ids().filter((id) => before.includes(id))).toEqual([]);
    expect(ids()).toHaveLength(2);
    await second.sandboxes.close();
    let tries = 0;
    rig.provider.faults.before = (operation) => {
      if (operation !== "create") return;
      tries += 1;
      throw unsupported();
    };
    await filled({ warm: 2 });
    await rig.clock.advance(10 * 60_000);
    expect(tries).toBeGreaterThan(2);
    expect(tries).toBeLessThan(120);
    expect(await rig.live()).toEqual([]);
  });

  it("makes room for somebody when a host is full", async () => {
    const { sandboxes } = await filled({ warm: 2 });
    rig.provider.room.slots = 2;
    // Of another template: no warm one will do.
    const wish = { limits: { tmpBytes: 1 } };
    const { id } = await sandboxes.connect({ ...(await rig.session()), wish });
    expect(ids()).toContain(id);
    expect(ids()).toHaveLength(2);
  });
});

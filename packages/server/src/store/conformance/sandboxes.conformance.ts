import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { SandboxKey, SandboxOwner } from "../sandboxes.ts";
import {
  active,
  activate,
  audit,
  destroying,
  fresh,
  ownerIn,
  reserve,
  warm,
} from "./sandbox-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

export function sandboxesConformance(open: OpenStore): void {
  describe("sandboxes", () => {
    const scene = useStore(open);
    lifeTests(scene);
    quotaTests(scene);
    poolTests(scene);
    sharingTests(scene);
  });
}

function lifeTests(scene: () => Scene): void {
  it("go from requested to destroyed, each step once", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const owner = await ownerIn(here);
    const record = await active(here, owner);
    expect(record).toMatchObject({ state: "active", orgId: here.orgId, host: "local", url: "local:1" });
    expect(await activate(here, owner, record)).toBeNull();
    const moved = await Promise.all([sandboxes.move(destroying(record)), sandboxes.move(destroying(record))]);
    expect(moved.filter((one) => one !== null)).toHaveLength(1);
    const { id, incarnation } = record;
    await sandboxes.move({ id, incarnation, from: ["destroying"], to: "destroying", retryInMs: 1_000 });
    expect(await sandboxes.find(id)).toMatchObject({ attempts: 1, destroyReason: "idle" });
    const end = { id, incarnation, from: ["destroying"], to: "destroyed" } as const;
    // What has ended is nobody's: an erasure finds nothing.
    expect(await sandboxes.move(end)).toMatchObject({
      state: "destroyed",
      orgId: null,
      userId: null,
      sessionId: null,
    });
    expect(await sandboxes.move(end)).toBeNull();
    expect((await sandboxes.live()).map((one) => one.id)).not.toContain(id);
  });

  it("SCH-07: refuse what names another incarnation", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const record = await active(here, await ownerIn(here));
    const stale = { id: record.id, incarnation: "another" };
    expect(await sandboxes.move(destroying(stale))).toBeNull();
    expect(await sandboxes.notePolicy({ ...stale, policy: {} })).toBe(false);
    expect(await sandboxes.touch([{ ...stale, sessionIds: [], agoMs: 0, guest: false }])).toEqual([
      record.id,
    ]);
    expect(await sandboxes.find(record.id)).toMatchObject({ state: "active", policy: { limits: {} } });
  });

  it("are looked after by one server", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const { id, incarnation } = await active(here, await ownerIn(here));
    const adopt = (newOwner: string) =>
      sandboxes.move({ id, incarnation, from: ["active"], to: "active", ownedBy: "one", newOwner });
    const adopted = await Promise.all([adopt("two"), adopt("three")]);
    expect(adopted.filter((one) => one !== null)).toHaveLength(1);
    await sandboxes.beat("one");
    await sandboxes.beat("one");
    await sandboxes.beat("two");
    expect(await sandboxes.instances()).toEqual([
      { id: "one", beats: 2 },
      { id: "two", beats: 1 },
    ]);
    await sandboxes.removeInstance("one");
    expect(await sandboxes.instances()).toEqual([{ id: "two", beats: 1 }]);
  });

  it("are kept while another server uses them", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const { id, incarnation } = await active(here, await ownerIn(here));
    await sandboxes.touch([{ id, incarnation, sessionIds: [], agoMs: 0, guest: true }]);
    const end = { ...destroying({ id, incarnation }), unlessGuestWithinMs: 5_000 };
    expect(await sandboxes.move(end)).toBeNull();
    await here.clock.advance(5_000);
    expect(await sandboxes.move(end)).not.toBeNull();
  });

  it("say whose session was deleted", async () => {
    const here = scene();
    const owner = await ownerIn(here);
    const { id } = await active(here, owner);
    const gone = async () =>
      (await here.store.system.sandboxes.live()).find((one) => one.id === id)?.sessionGone;
    expect(await gone()).toBe(false);
    await here.org.deleteSession(owner.sessionId);
    expect(await gone()).toBe(true);
    expect(await refusal(reserve(here, owner))).toBe("session_not_found");
  });
}

function quotaTests(scene: () => Scene): void {
  it("SCH-02: never exceed the quotas of user and organization, however many ask at once", async () => {
    const here = scene();
    const owners = await Promise.all(
      Array.from({ length: 30 }, (_, at) => ownerIn(here, { userId: `usr_${at % 3}` })),
    );
    const all = await Promise.all(owners.map((owner) => reserve(here, owner, { perUser: 4, perOrg: 10 })));
    expect(all.filter(({ kind }) => kind === "new")).toHaveLength(10);
    const refused = all.filter((one) => one.kind === "quota");
    expect(refused).toHaveLength(20);
    const { items } = await here.org.sandboxes.list({ limit: 100 });
    for (const userId of ["usr_0", "usr_1", "usr_2"])
      expect(items.filter((item) => item.userId === userId).length).toBeLessThanOrEqual(4);
  });

  it("have room again when one ends, and never count another organization's", async () => {
    const here = scene();
    const other = here.neighbour();
    await reserve(other, await ownerIn(other));
    const one = await active(here, await ownerIn(here));
    const next = await ownerIn(here);
    expect(await reserve(here, next, { perUser: 1 })).toMatchObject({ kind: "quota", of: "user", limit: 1 });
    expect(await reserve(here, next, { perOrg: 1 })).toMatchObject({ kind: "quota", of: "org", limit: 1 });
    await here.store.system.sandboxes.move(destroying(one));
    expect(await reserve(here, next, { perUser: 1 })).toMatchObject({ kind: "new" });
  });

  it("SCH-03: end another one in its place only if it is the same user's of the same organization", async () => {
    const here = scene();
    const other = here.neighbour();
    const foreign = [
      await active(here, await ownerIn(here, { userId: "usr_2" })),
      await active(other, await ownerIn(other)),
    ];
    const own = await active(here, await ownerIn(here));
    const next = await ownerIn(here);
    for (const { id, incarnation } of foreign) {
      const instead = { id, incarnation, reason: "recycled" };
      expect(await reserve(here, next, { perUser: 1, instead })).toMatchObject({
        kind: "quota",
        ended: false,
      });
      expect(await here.store.system.sandboxes.find(id)).toMatchObject({ state: "active" });
    }
    const instead = { id: own.id, incarnation: own.incarnation, reason: "recycled" };
    expect(await reserve(here, next, { perUser: 1, instead })).toMatchObject({ kind: "new", ended: true });
    expect(await here.store.system.sandboxes.find(own.id)).toMatchObject({
      state: "destroying",
      destroyReason: "recycled",
    });
  });
}

function poolTests(scene: () => Scene): void {
  it("SCH-01: are claimed once each, the oldest first", async () => {
    const here = scene();
    const keys: SandboxKey[] = [];
    for (let at = 0; at < 4; at++) {
      keys.push(await warm(here));
      await here.clock.advance(1);
    }
    const owners = await Promise.all(Array.from({ length: 10 }, () => ownerIn(here)));
    const all = await Promise.all(owners.map((owner) => reserve(here, owner, { perUser: 100 })));
    const claimed = all.filter(({ kind }) => kind === "warm");
    expect(claimed.map((one) => (one.kind === "warm" ? one.record.id : ""))).toEqual(
      keys.map(({ id }) => id),
    );
    expect(all.filter(({ kind }) => kind === "new")).toHaveLength(6);
  });

  it("are claimed only where they fit: template, host and deployment", async () => {
    const here = scene();
    await warm(here);
    const misfits = [
      { template: "t_other" },
      { host: "elsewhere" },
      { deployment: "dep_2" },
      { warm: false },
    ];
    for (const misfit of misfits)
      expect(await reserve(here, await ownerIn(here), misfit)).toMatchObject({ kind: "new" });
    expect(await reserve(here, await ownerIn(here))).toMatchObject({ kind: "warm" });
  });

  it("are never more than asked for", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const made = await Promise.all(
      Array.from({ length: 6 }, () => sandboxes.reserveWarm({ ...fresh(here), host: "local", most: 2 })),
    );
    expect(made.filter((one) => one !== null)).toHaveLength(2);
  });
}

function sharingTests(scene: () => Scene): void {
  it("are one for a session, whoever asks", async () => {
    const here = scene();
    const owner = await ownerIn(here);
    const [first, second] = await Promise.all([reserve(here, owner), reserve(here, owner)]);
    expect([first.kind, second.kind]).toEqual(["new", "there"]);
  });

  it("are one for a user whose sessions share it", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const strategy = "User-Exclusive";
    const [one, two] = [await ownerIn(here, { strategy }), await ownerIn(here, { strategy })];
    const record = await active(here, one);
    expect(await reserve(here, two)).toMatchObject({ kind: "there", record: { id: record.id } });
    const join = { id: record.id, incarnation: record.incarnation, orgId: here.orgId };
    const joinAs = (owner: SandboxOwner) =>
      sandboxes.join({ ...join, owner, allocationId: newId("allocation"), audit: audit() });
    expect(await joinAs(two)).toBe(true);
    expect(await joinAs(two)).toBe(false);
    expect(await joinAs(await ownerIn(here, { userId: "usr_2", strategy }))).toBe(false);
    expect((await here.org.sandboxes.listAllocations({ limit: 10, active: true })).items).toHaveLength(2);
    const left = { orgId: here.orgId, sessionId: two.sessionId, reason: "released", audit: audit() };
    expect(await sandboxes.leave(left)).toBe(true);
    expect(await sandboxes.leave(left)).toBe(false);
    expect(await here.org.sandboxes.find(record.id)).toMatchObject({ state: "active" });
  });
}

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { SandboxOwner } from "../sandboxes.ts";
import { active, audit, destroying, minute, ownerIn } from "./sandbox-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

export function sandboxHistoryConformance(open: OpenStore): void {
  describe("sandboxes that were", () => {
    const scene = useStore(open);
    historyTests(scene);
    workspaceTests(scene);
  });
}

function historyTests(scene: () => Scene): void {
  it("leave a history of who had which, and an audit entry each", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const owner = await ownerIn(here);
    const first = await active(here, owner);
    await here.clock.advance(minute);
    const { id, incarnation } = first;
    await sandboxes.touch([{ id, incarnation, sessionIds: [owner.sessionId], agoMs: 1_000, guest: false }]);
    await sandboxes.move({ ...destroying(first), orgId: here.orgId, audit: audit() });
    await here.clock.advance(1);
    const second = await active(here, owner);
    const { items } = await here.org.sandboxes.listAllocations({ limit: 10, sessionId: owner.sessionId });
    expect(items).toMatchObject([
      { sandboxId: second.id, isActive: true, endedAt: null, strategy: "Session-Exclusive" },
      { sandboxId: first.id, isActive: false, endReason: "idle", sandboxUrl: "local:1" },
    ]);
    expect(items[1]?.lastUsedAt).toBe((items[1]?.endedAt ?? 0) - 1_000);
    expect(await here.org.sandboxes.lastAllocation(owner.sessionId)).toMatchObject({ sandboxId: second.id });
    expect((await here.org.audit.list({ limit: 10 })).items).toHaveLength(3);
  });

  it("I10: of one organization are nothing to another", async () => {
    const here = scene();
    const other = here.neighbour();
    const owner = await ownerIn(here);
    const { id } = await active(here, owner);
    const [allocation] = (await here.org.sandboxes.listAllocations({ limit: 1 })).items;
    expect(await here.org.sandboxes.find(id)).toMatchObject({ id });
    expect(await here.org.sandboxes.findAllocation(allocation?.id ?? "")).toMatchObject({ sandboxId: id });
    const { sandboxes } = other.org;
    expect(await sandboxes.find(id)).toBeNull();
    expect((await sandboxes.list({ limit: 10 })).items).toEqual([]);
    expect((await sandboxes.listAllocations({ limit: 10 })).items).toEqual([]);
    expect(await sandboxes.findAllocation(allocation?.id ?? "")).toBeNull();
    expect(await sandboxes.lastAllocation(owner.sessionId)).toBeNull();
    expect(await sandboxes.workspace(owner.sessionId)).toBeNull();
  });

  it("forget what ended long ago, and nothing that goes on", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const kept = await active(here, await ownerIn(here));
    const old = await active(here, await ownerIn(here));
    await sandboxes.move(destroying(old));
    await sandboxes.move({ ...destroying(old), from: ["destroying"], to: "destroyed" });
    const day = 24 * 60 * minute;
    await here.clock.advance(day);
    await sandboxes.prune({ sandboxesMs: day, allocationsMs: 90 * day });
    expect(await sandboxes.find(old.id)).toBeNull();
    expect(await sandboxes.find(kept.id)).not.toBeNull();
    expect((await here.org.sandboxes.listAllocations({ limit: 10 })).items).toHaveLength(2);
    await sandboxes.prune({ sandboxesMs: day, allocationsMs: day });
    expect((await here.org.sandboxes.listAllocations({ limit: 10 })).items).toMatchObject([
      { isActive: true },
    ]);
  });

  it("come in pages, newest first", async () => {
    const here = scene();
    for (let at = 0; at < 3; at++) {
      await active(here, await ownerIn(here, { userId: at === 0 ? "usr_2" : "usr_1" }));
    }
    const first = await here.org.sandboxes.list({ limit: 2 });
    const rest = await here.org.sandboxes.list({ limit: 2, after: first.next ?? "" });
    expect([first.items.length, rest.items.length, rest.next]).toEqual([2, 1, null]);
    expect((await here.org.sandboxes.list({ limit: 9, userId: "usr_2" })).items).toHaveLength(1);
  });
}

function workspaceTests(scene: () => Scene): void {
  const ensure = (here: Scene, { strategy, ...owner }: SandboxOwner) =>
    here.store.system.sandboxes.ensureWorkspace({
      ...owner,
      strategy,
      workspaceId: newId("workspace"),
      host: "local",
      folder: owner.sessionId,
    });

  it("are where they were first made, one for each session", async () => {
    const here = scene();
    const owner = await ownerIn(here);
    const [first, again] = [await ensure(here, owner), await ensure(here, owner)];
    expect(first).toMatchObject({ made: true, record: { folder: null, strategy: "Session-Exclusive" } });
    expect(again).toEqual({ record: first.record, made: false });
    expect((await ensure(here, await ownerIn(here))).record.workspaceId).not.toBe(first.record.workspaceId);
  });

  it("are one for a user whose sessions share it, with a folder for each", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const strategy = "User-Exclusive";
    const owners = [await ownerIn(here, { strategy }), await ownerIn(here, { strategy })];
    const made = await Promise.all(owners.map((owner) => ensure(here, owner)));
    const ids = made.map(({ record }) => record.workspaceId);
    expect(new Set(ids).size).toBe(1);
    expect(made.map(({ record }) => record.folder)).toEqual(owners.map(({ sessionId }) => sessionId));
    expect(await sandboxes.sharers(ids[0] ?? "")).toBe(2);
    const stranger = await ensure(here, await ownerIn(here, { userId: "usr_2", strategy }));
    expect(ids).not.toContain(stranger.record.workspaceId);
    await sandboxes.removeWorkspace(owners[0] as SandboxOwner);
    expect(await sandboxes.sharers(ids[0] ?? "")).toBe(1);
  });

  it("are found when their session is gone", async () => {
    const here = scene();
    const { sandboxes } = here.store.system;
    const owner = await ownerIn(here);
    const { record } = await ensure(here, owner);
    const orphans = async () => (await sandboxes.orphanedWorkspaces(1_000)).map((one) => one.workspaceId);
    await sandboxes.noteWorkspace({ ...owner, sizeBytes: 7 });
    expect(await here.org.sandboxes.workspace(owner.sessionId)).toMatchObject({ sizeBytes: 7 });
    expect(await orphans()).not.toContain(record.workspaceId);
    await here.org.deleteSession(owner.sessionId);
    expect(await orphans()).toContain(record.workspaceId);
    expect(await sandboxes.removeWorkspace(owner)).toBe(true);
    expect(await sandboxes.removeWorkspace(owner)).toBe(false);
    expect(await refusal(ensure(here, owner))).toBe("session_not_found");
  });
}

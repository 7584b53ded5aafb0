import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { ErasureRecord } from "../data.ts";
import { entry } from "./identity-scene.conformance.ts";
import { message, type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const audited = async (here: Scene, action: string) =>
  (await here.org.audit.list({ limit: 100, action })).items.length;

async function erasing(here: Scene, record: Partial<ErasureRecord> = {}): Promise<ErasureRecord> {
  const { orgId } = here;
  const wanted = {
    id: newId("receipt"),
    scope: "user",
    target: "usr_1",
    requestedBy: "usr_0",
    toldTo: orgId,
  } as const;
  const audit = entry("erasure.requested");
  return (await here.org.data.createErasure({ record: { ...wanted, ...record }, audit })).result;
}

/** What is left of an erasure's work when all of it was done. */
async function carryOut({ store }: Scene, erasure: ErasureRecord): Promise<ErasureRecord> {
  const { data } = store.system;
  for (const sessionId of await data.sessionsToErase(erasure, 100))
    await data.eraseSession({ erasure, sessionId });
  while ((await data.eraseRows({ erasure, limit: 3 })) > 0);
  const hashes = await data.blobsToErase({ erasure, limit: 100 });
  await data.forgetErasedBlobs({ orgId: erasure.orgId, hashes });
  return data.endErasure({ erasure, audit: entry("user.erased") });
}

export function erasuresConformance(open: OpenStore): void {
  describe("erasures", () => {
    const scene = useStore(open);

    it("take a user's sessions with all that hangs on them, and leave those of others", async () => {
      const here = scene();
      const { orgId, store, clock } = here;
      const hash = "a".repeat(64);
      const waiting = "b".repeat(64);
      for (const one of [hash, waiting]) await store.system.noteBlob({ orgId, hash: one, size: 3 });
      const mine = await here.held(3, { owner: "usr_1", title: "secret" });
      await mine.append(1, { blobs: [hash] });
      await mine.snapshot(4);
      await mine.store.accept({
        inputs: [message({ body: { type: "user.message", content: waiting, onBusy: "enqueue" } })],
      });
      const theirs = await here.create({ owner: "usr_2" });
      const erasure = await erasing(here);
      expect(await store.system.data.openErasures(10)).toEqual([erasure]);
      const { data } = store.system;
      expect(await data.sessionsToErase(erasure, 10)).toEqual([mine.sessionId]);
      await data.eraseSession({ erasure, sessionId: mine.sessionId });
      expect(await data.sessionsToErase(erasure, 10)).toEqual([]);
      expect(await here.org.findSession(mine.sessionId)).toBeNull();
      expect((await mine.append(1)).ok).toBe(false);
      expect((await data.blobsToErase({ erasure, limit: 10 })).toSorted()).toEqual([hash, waiting]);
      // Until their files are gone they are named again.
      expect(await data.blobsToErase({ erasure, limit: 10 })).toHaveLength(2);
      await data.forgetErasedBlobs({ orgId, hashes: [hash, waiting] });
      expect(await data.blobsToErase({ erasure, limit: 10 })).toEqual([]);
      expect(await store.system.hasBlob({ orgId, hash })).toBe(false);
      await data.noteErasure({
        orgId,
        id: erasure.id,
        counts: { workspaces: 1 },
        error: "the disk was away",
      });
      expect((await here.org.data.findErasure(erasure.id))?.error).toBe("the disk was away");
      await clock.advance(5);
      const receipt = await carryOut(here, erasure);
      expect(receipt).toMatchObject({ status: "done", error: null, finishedAt: clock.now() });
      expect(receipt.counts).toMatchObject({ sessions: 1, events: 4, workspaces: 1 });
      expect(receipt.hash).toMatch(/^[0-9a-f]{64}$/);
      expect(await data.openErasures(10)).toEqual([]);
      expect((await here.org.findSession(theirs.id))?.id).toBe(theirs.id);
      expect([await audited(here, "erasure.requested"), await audited(here, "user.erased")]).toEqual([1, 1]);
    });

    it("keep a blob that another's session refers to", async () => {
      const here = scene();
      const { orgId, store } = here;
      const hash = "c".repeat(64);
      await store.system.noteBlob({ orgId, hash, size: 3 });
      for (const owner of ["usr_1", "usr_2"])
        await (await here.held(1, { owner })).append(1, { blobs: [hash] });
      const erasure = await erasing(here);
      const { data } = store.system;
      for (const sessionId of await data.sessionsToErase(erasure, 10))
        await data.eraseSession({ erasure, sessionId });
      expect(await data.blobsToErase({ erasure, limit: 10 })).toEqual([]);
      expect(await store.system.hasBlob({ orgId, hash })).toBe(true);
      await carryOut(here, erasure);
    });

    it("leave the forks of others whole, with a log of their own", async () => {
      const here = scene();
      const hash = "d".repeat(64);
      await here.store.system.noteBlob({ orgId: here.orgId, hash, size: 3 });
      const parent = await here.held(3, { owner: "usr_1" });
      await parent.append(2, { blobs: [hash] });
      await parent.rewind(4);
      const shares = { fork: { sessionId: parent.sessionId, seq: 6, copy: false } };
      const fork = await here.create({ owner: "usr_2" }, shares);
      const held = await here.hold(fork.id);
      await held.append(2);
      const before = await held.store.load({ stateVersion: 1 });
      const own = await here.create({ owner: "usr_1" }, shares);
      await carryOut(here, await erasing(here));
      expect(await here.org.findSession(own.id)).toBeNull();
      expect(await here.org.findSession(parent.sessionId)).toBeNull();
      expect(await held.logged()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(await held.store.load({ stateVersion: 1 })).toEqual(before);
      expect(await here.store.system.hasBlob({ orgId: here.orgId, hash })).toBe(true);
      await held.append(1);
      expect(await held.logged()).toHaveLength(10);
    });

    it("are one at a time for each, and once for each Idempotency-Key", async () => {
      const here = scene();
      const erasure = await erasing(here);
      expect(await refusal(erasing(here))).toBe("erasure_running");
      expect((await erasing(here, { target: "usr_2" })).target).toBe("usr_2");
      await carryOut(here, erasure);
      expect((await erasing(here)).id).not.toBe(erasure.id);
      for (const open_ of await here.store.system.data.openErasures(10)) await carryOut(here, open_);
    });

    it("I10: are of one organization; that of a whole one leaves nothing of it but the receipt, and the others as they were", async () => {
      const here = scene();
      const other = here.neighbour();
      const theirs = await other.create({ owner: "usr_1", title: "theirs" });
      await here.create({ owner: "usr_1" });
      await here.create({ owner: "usr_2" });
      const erasure = await erasing(here, { scope: "org", target: here.orgId, toldTo: other.orgId });
      expect(await other.org.data.findErasure(erasure.id)).toBeNull();
      expect((await other.org.data.listErasures({ limit: 5 })).items).toEqual([]);
      const receipt = await carryOut(here, erasure);
      expect(receipt.counts["sessions"]).toBe(2);
      expect((await here.org.listSessions({ limit: 5 })).items).toEqual([]);
      expect((await here.org.audit.list({ limit: 5 })).items).toEqual([]);
      expect(await here.org.data.findErasure(erasure.id)).toEqual(receipt);
      expect(await here.store.system.data.findErasure(erasure.id)).toEqual(receipt);
      expect((await other.org.findSession(theirs.id))?.title).toBe("theirs");
      expect(await audited(other, "user.erased")).toBe(1);
    });

    it("leave nothing in the write-ahead log once it is cut", async () => {
      const here = scene();
      await here.create({ title: "something" });
      expect(await here.store.system.data.truncateLog()).toBe(true);
    });
  });
}

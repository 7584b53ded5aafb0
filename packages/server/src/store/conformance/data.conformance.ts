import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { AuditDraft } from "../audit.ts";
import type { ErasureRecord, ExportRecord } from "../data.ts";
import { message, type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const hour = 3_600_000;
const day = 24 * hour;

function entry(action: string): AuditDraft {
  const actor = { type: "user", id: "usr_1", name: "One" } as const;
  const rest = { credential: null, target: null, requestId: null, address: null, details: {} };
  return { id: newId("audit"), actor, action, outcome: "done", ...rest };
}

const audited = async (here: Scene, action: string) =>
  (await here.org.audit.list({ limit: 100, action })).items.length;

async function asked(here: Scene, record: Partial<ExportRecord> = {}): Promise<ExportRecord> {
  const wanted = {
    id: newId("export"),
    scope: "org",
    userId: null,
    conversations: true,
    requestedBy: "usr_1",
  } as const;
  const change = { record: { ...wanted, ...record }, most: 2, audit: entry("export.requested") };
  return (await here.org.data.createExport(change)).result;
}

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

export function dataConformance(open: OpenStore): void {
  describe("exports", () => {
    const scene = useStore(open);

    it("are made once, begun anew after a crash, and given up the third time", async () => {
      const here = scene();
      const { data } = here.store.system;
      const first = await asked(here);
      expect(first).toMatchObject({ status: "queued", attempts: 0, parts: {} });
      for (const attempts of [1, 2, 3])
        expect(await data.takeExport()).toMatchObject({ id: first.id, status: "running", attempts });
      const second = await asked(here);
      expect(await data.takeExport()).toMatchObject({ id: second.id, attempts: 1 });
      expect(await here.org.data.findExport(first.id)).toMatchObject({
        status: "failed",
        error: expect.stringContaining("3 times"),
      });
      const { orgId } = here;
      await data.noteExport({ orgId, id: second.id, parts: { agents: 2 } });
      const expiresAt = here.clock.now() + day;
      const outcome = { status: "done", parts: { agents: 2 }, bytes: 9, sha256: "ab", expiresAt } as const;
      expect(await data.endExport({ orgId, id: second.id, outcome })).toBe(true);
      expect(await data.takeExport()).toBeNull();
      expect(await data.expireExports(10)).toEqual([]);
      await here.clock.advance(day);
      expect(await data.expireExports(10)).toEqual([{ orgId, id: second.id }]);
      expect(await data.expireExports(10)).toEqual([]);
      expect(await here.org.data.findExport(second.id)).toMatchObject({ status: "expired", bytes: 9 });
      expect(await audited(here, "export.requested")).toBe(2);
    });

    it("are so many at once, and each for one Idempotency-Key", async () => {
      const here = scene();
      const idempotency = { scope: "user:usr_1 post /exports", key: "k", bodyHash: "h" };
      const create = (id: string) =>
        here.org.data.createExport({
          record: { id, scope: "user", userId: "usr_1", conversations: true, requestedBy: "usr_1" },
          most: 2,
          audit: entry("export.requested"),
          idempotency,
        });
      const first = await create(newId("export"));
      expect(await create(newId("export"))).toEqual({ result: first.result, replayed: true });
      await asked(here);
      expect(await refusal(asked(here))).toBe("too_many_exports");
      expect(await audited(here, "export.requested")).toBe(2);
      for (const { id } of (await here.org.data.listExports({ limit: 10 })).items)
        expect(await here.org.data.deleteExport({ id, audit: entry("export.deleted") })).toBe(true);
      expect(await here.store.system.data.takeExport()).toBeNull();
    });

    it("I10: are of one organization, and hold rows of it alone", async () => {
      const here = scene();
      const other = here.neighbour();
      const mine = await asked(here, { requestedBy: "usr_1" });
      const theirs = await asked(here, { requestedBy: "usr_2" });
      const session = await here.create({ title: "mine" });
      await other.create({ title: "theirs" });
      const ids = async (filter: object) =>
        (await here.org.data.listExports({ limit: 10, ...filter })).items.map(({ id }) => id);
      expect(await ids({})).toEqual([mine.id, theirs.id].toSorted().toReversed());
      expect(await ids({ requestedBy: "usr_2" })).toEqual([theirs.id]);
      expect(await other.org.data.findExport(mine.id)).toBeNull();
      expect((await other.org.data.listExports({ limit: 10 })).items).toEqual([]);
      expect(await other.org.data.deleteExport({ id: mine.id, audit: entry("no") })).toBe(false);
      expect(await audited(other, "no")).toBe(0);
      const page = { part: "sessions", userId: null, after: null, limit: 10 };
      const { rows, next } = await here.org.data.exportRows(page);
      expect([rows.map(({ id }) => id), next]).toEqual([[session.id], null]);
      expect((await here.org.data.exportRows({ ...page, userId: "usr_9" })).rows).toEqual([]);
      for (const { id } of [mine, theirs]) await here.org.data.deleteExport({ id, audit: entry("gone") });
    });

    it("hold each row of every part once, over pages", async () => {
      const here = scene();
      const made = await Promise.all(Array.from({ length: 5 }, () => here.create({ owner: "usr_1" })));
      for (const part of here.org.data.exportParts({ scope: "org", conversations: true })) {
        const range = { part, userId: null, limit: 2 };
        const found: unknown[] = [];
        for (let after: string | null = null; ;) {
          const { rows, next } = await here.org.data.exportRows({ ...range, after });
          found.push(...rows);
          if (next === null) break;
          after = next;
        }
        const whole = await here.org.data.exportRows({ ...range, limit: 1_000, after: null });
        expect(found).toEqual(whole.rows);
        if (part === "sessions") expect(found).toHaveLength(made.length);
      }
      const own = here.org.data.exportParts({ scope: "user", conversations: false });
      expect(own).not.toContain("sessions");
      expect(own).not.toContain("agents");
    });
  });

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

  describe("what is old", () => {
    const scene = useStore(open);

    it("is a session that nobody has changed since, and no other", async () => {
      const here = scene();
      const old = await here.create();
      const busy = await here.create({ status: "running", currentRunId: "run_1" });
      const revived = await here.held(1);
      await here.clock.advance(10 * day);
      await revived.append(1);
      const fresh = await here.create();
      const before = here.clock.now() - day;
      const scan = (more: object = {}) =>
        here.org.data.staleSessions({ before, after: null, scan: 100, ...more });
      expect(await scan()).toEqual({ ids: [old.id], next: null });
      expect((await scan({ before: here.clock.now() + day })).ids).toEqual(
        [old.id, revived.sessionId, fresh.id].toSorted(),
      );
      expect((await here.neighbour().org.data.staleSessions({ before, after: null, scan: 5 })).ids).toEqual(
        [],
      );
      // A page at a time, the whole of them.
      const first = await scan({ scan: 1 });
      expect(first.next).not.toBeNull();
      const rest = await scan({ after: first.next });
      expect([...first.ids, ...rest.ids]).toEqual([old.id]);
      expect(busy.status).toBe("running");
    });
  });
}

import { describe, expect, it } from "vitest";
import { event, events, type HeldSession, type OpenStore, seqs, useStore } from "./scene.conformance.ts";

/** Seq of the snapshot that a load begins with, and the seqs of the events after it. */
async function loaded(
  session: Pick<HeldSession, "store">,
  options: { stateVersion?: number; upTo?: number } = {},
) {
  const log = await session.store.load({ stateVersion: 1, ...options });
  return { snapshot: log?.snapshot?.seq ?? 0, seqs: seqs(log?.events) };
}

export function historyConformance(open: OpenStore): void {
  describe("snapshots", () => {
    const scene = useStore(open);

    it("I8: loads the newest snapshot and the events after it", async () => {
      const session = await scene().held(6);
      expect(await loaded(session)).toEqual({ snapshot: 0, seqs: [1, 2, 3, 4, 5, 6] });
      await session.snapshot(2);
      await session.snapshot(4);
      expect(await loaded(session)).toEqual({ snapshot: 4, seqs: [5, 6] });
      expect((await session.store.load({ stateVersion: 1 }))?.snapshot).toEqual({
        seq: 4,
        body: "state at 4",
      });
      expect(await loaded(session, { upTo: 3 })).toEqual({ snapshot: 2, seqs: [3] });
      expect(await loaded(session, { upTo: 1 })).toEqual({ snapshot: 0, seqs: [1] });
      await session.snapshot(6);
      expect(await loaded(session)).toEqual({ snapshot: 6, seqs: [] });
      expect(await loaded(session, { upTo: 5 })).toEqual({ snapshot: 4, seqs: [5] });
    });

    it("keeps the newest two", async () => {
      const session = await scene().held(6);
      for (const seq of [1, 3, 5]) await session.snapshot(seq);
      expect((await loaded(session, { upTo: 2 })).snapshot).toBe(0);
      expect((await loaded(session, { upTo: 4 })).snapshot).toBe(3);
      expect((await loaded(session)).snapshot).toBe(5);
    });

    it("does not see one of another state version, and takes a new one for the same seq", async () => {
      const session = await scene().held(4);
      await session.snapshot(3, 1);
      expect(await loaded(session, { stateVersion: 2 })).toEqual({ snapshot: 0, seqs: [1, 2, 3, 4] });
      await session.snapshot(3, 2);
      expect((await loaded(session, { stateVersion: 2 })).snapshot).toBe(3);
      expect((await loaded(session, { stateVersion: 1 })).snapshot).toBe(0);
    });

    it("I2: keeps none of an old epoch, of nobody, or past the log's end", async () => {
      const old = await scene().held(3);
      const young = await old.scene.hold(old.sessionId, old.workerId);
      await old.snapshot(2);
      await young.snapshot(4);
      expect((await loaded(young)).snapshot).toBe(0);
      await young.release();
      await young.snapshot(2);
      expect((await loaded(young)).snapshot).toBe(0);
    });

    it("loads nothing of a session that is not there", async () => {
      const nowhere = scene().store.session("org_1", "ses_1");
      expect(await nowhere.load({ stateVersion: 1 })).toBeNull();
      expect(await nowhere.find()).toBeNull();
      expect(await nowhere.mailbox()).toEqual([]);
      await nowhere.putSnapshot({ seq: 1, stateVersion: 1, body: "", epoch: 0 });
    });
  });

  describe("rewinds", () => {
    const scene = useStore(open);

    it("leave the raw log whole and load the effective one", async () => {
      const session = await scene().held(5);
      await session.rewind(2);
      await session.append(2);
      expect(await session.logged()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(await loaded(session)).toEqual({ snapshot: 0, seqs: [1, 2, 6, 7, 8] });
      expect((await session.store.find())?.rewinds).toEqual([{ at: 6, toSeq: 2 }]);
      expect((await session.scene.org.listSessions({ limit: 1 })).items[0]?.rewinds).toEqual([
        { at: 6, toSeq: 2 },
      ]);
    });

    it("may be nested, undone by another, and go back to the beginning", async () => {
      const session = await scene().held(5);
      await session.rewind(3);
      await session.append(2);
      expect((await loaded(session)).seqs).toEqual([1, 2, 3, 6, 7, 8]);
      await session.rewind(7);
      expect((await loaded(session)).seqs).toEqual([1, 2, 3, 6, 7, 9]);
      await session.rewind(2);
      await session.append(1);
      expect((await loaded(session)).seqs).toEqual([1, 2, 10, 11]);
      await session.rewind(0);
      expect((await loaded(session)).seqs).toEqual([12]);
    });

    it("do not count before they happened", async () => {
      const session = await scene().held(5);
      await session.rewind(2);
      await session.append(1);
      expect((await loaded(session, { upTo: 5 })).seqs).toEqual([1, 2, 3, 4, 5]);
      expect((await loaded(session, { upTo: 6 })).seqs).toEqual([1, 2, 6]);
    });

    it("cut a commit in its middle", async () => {
      const session = await scene().held(1);
      await session.append(6);
      await session.rewind(4);
      expect((await loaded(session)).seqs).toEqual([1, 2, 3, 4, 8]);
    });

    it("undo the snapshots between, and only those", async () => {
      const session = await scene().held(8);
      await session.snapshot(3);
      await session.snapshot(6);
      expect(await loaded(session)).toEqual({ snapshot: 6, seqs: [7, 8] });
      await session.rewind(3);
      expect(await loaded(session)).toEqual({ snapshot: 3, seqs: [9] });
      expect(await loaded(session, { upTo: 8 })).toEqual({ snapshot: 6, seqs: [7, 8] });
      await session.append(2);
      await session.snapshot(9);
      expect(await loaded(session)).toEqual({ snapshot: 9, seqs: [10, 11] });
      await session.rewind(10);
      expect(await loaded(session)).toEqual({ snapshot: 9, seqs: [10, 12] });
      await session.rewind(1);
      expect(await loaded(session)).toEqual({ snapshot: 0, seqs: [1, 13] });
    });

    it("I2: are written with their event or not at all", async () => {
      const session = await scene().held(3);
      const stale = await session.append(1, { epoch: 0, projection: { rewind: { at: 4, toSeq: 1 } } });
      expect(stale.ok).toBe(false);
      expect((await session.store.find())?.rewinds).toEqual([]);
    });
  });

  describe("what is written with an append", () => {
    const scene = useStore(open);

    it("comes back with its types, one commit or many, in blocks of any size", async () => {
      const session = await scene().held(1);
      const types = ["run.started", "user.message", "agent.message", "run.finished"];
      await session.append(4, { events: types.map((type, index) => event(2 + index, type)) });
      await session.append(0, { events: [], projection: { session: { title: "later" } } });
      await session.append(2, { events: events(6, 2) });
      const log = await session.store.readLog({ after: 2, limit: 4 });
      expect(log?.events.map(({ type }) => type)).toEqual([...types.slice(1), "agent.message"]);
      expect(log?.record).toMatchObject({ lastSeq: 7, title: "later", updatedAt: session.scene.clock.now() });
    });
  });
}

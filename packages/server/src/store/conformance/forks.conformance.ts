import { describe, expect, it } from "vitest";
import {
  type HeldSession,
  type OpenStore,
  refusal,
  type Scene,
  seqs,
  useStore,
} from "./scene.conformance.ts";

const dayMs = 86_400_000;

async function fork(
  parent: HeldSession,
  seq: number,
  { copy = false, owner = "usr_1" } = {},
): Promise<HeldSession> {
  const { id } = await parent.scene.create({ owner }, { fork: { sessionId: parent.sessionId, seq, copy } });
  return parent.scene.hold(id);
}

/** What the events of a session say: each test writes who wrote it. */
async function texts(session: HeldSession): Promise<string[]> {
  const log = await session.store.readLog({ after: 0, limit: 1_000 });
  return (log?.events ?? []).map(({ json }) => (JSON.parse(json) as { text: string }).text);
}

async function write(session: HeldSession, ...words: string[]): Promise<void> {
  const first = session.lastSeq + 1;
  const events = words.map((text, index) => {
    const seq = first + index;
    return { seq, type: "agent.message", json: JSON.stringify({ seq, text }) };
  });
  expect(await session.append(events.length, { events })).toEqual({ ok: true });
}

async function written(scene: Scene, ...words: string[]): Promise<HeldSession> {
  const session = await scene.held(1);
  await write(session, ...words);
  return session;
}

export function forksConformance(open: OpenStore): void {
  describe("forks", () => {
    const scene = useStore(open);

    it("I1: share the log up to a seq, go on with the next, and leave the parent alone", async () => {
      const parent = await written(scene(), "p2", "p3", "p4");
      const child = await fork(parent, 3);
      expect(await child.store.find()).toMatchObject({
        lastSeq: 4,
        epoch: 1,
        forkedFrom: { sessionId: parent.sessionId, seq: 3 },
      });
      await write(child, "c5");
      await write(parent, "p5", "p6");
      expect(await texts(child)).toEqual(["", "p2", "p3", "", "c5"]);
      expect(await child.logged()).toEqual([1, 2, 3, 4, 5]);
      expect(await texts(parent)).toEqual(["", "p2", "p3", "p4", "p5", "p6"]);
      const page = await child.store.readLog({ after: 1, limit: 3 });
      expect(seqs(page?.events)).toEqual([2, 3, 4]);
      expect(seqs((await child.store.load({ stateVersion: 1, upTo: 2 }))?.events)).toEqual([1, 2]);
    });

    it("I1: may be chained: a fork of a fork of a fork reads through all of them", async () => {
      const a = await written(scene(), "a2", "a3");
      const b = await fork(a, 3);
      await write(b, "b5", "b6");
      const c = await fork(b, 5);
      await write(c, "c7");
      const d = await fork(c, 7);
      await write(d, "d9");
      expect(await texts(d)).toEqual(["", "a2", "a3", "", "b5", "", "c7", "", "d9"]);
      const early = await fork(c, 2);
      await write(early, "e4");
      expect(await texts(early)).toEqual(["", "a2", "", "e4"]);
      const beginning = await fork(d, 0);
      expect(await texts(beginning)).toEqual([""]);
    });

    it("I1: outlive their parents, in whatever order these are deleted", async () => {
      const a = await written(scene(), "a2", "a3", "a4");
      const b = await fork(a, 3);
      await write(b, "b5", "b6");
      const c = await fork(b, 5);
      const expected = ["", "a2", "a3", "", "b5", ""];
      expect(await a.scene.org.deleteSession(b.sessionId)).toBe(true);
      expect(await texts(c)).toEqual(expected);
      expect(await a.scene.org.deleteSession(a.sessionId)).toBe(true);
      expect(await texts(c)).toEqual(expected);
      expect(await a.store.readLog({ after: 0, limit: 10 })).toBeNull();
      await write(c, "c7");
      const d = await fork(c, 6);
      expect(await c.scene.org.deleteSession(c.sessionId)).toBe(true);
      expect(await texts(d)).toEqual([...expected, ""]);
    });

    it("bring the rewinds at or before their seq, and load the effective log", async () => {
      const parent = await scene().held(5);
      await parent.rewind(2);
      await parent.append(2);
      const before = await fork(parent, 5);
      const after = await fork(parent, 7);
      await parent.rewind(1);
      const loaded = async (session: HeldSession) =>
        seqs((await session.store.load({ stateVersion: 1 }))?.events);
      expect((await after.store.find())?.rewinds).toEqual([{ at: 6, toSeq: 2 }]);
      expect(await loaded(after)).toEqual([1, 2, 6, 7, 8]);
      expect((await before.store.find())?.rewinds).toEqual([]);
      expect(await loaded(before)).toEqual([1, 2, 3, 4, 5, 6]);
      await after.rewind(1);
      expect(await loaded(after)).toEqual([1, 9]);
      expect(await loaded(parent)).toEqual([1, 9]);
    });

    it("I8: begin from a snapshot of the shared prefix, never from a later one of the parent", async () => {
      const parent = await scene().held(8);
      await parent.snapshot(3);
      await parent.snapshot(6);
      const child = await fork(parent, 5);
      const load = async (session: HeldSession) =>
        (await session.store.load({ stateVersion: 1 }))?.snapshot?.seq;
      expect(await load(child)).toBe(3);
      await child.append(2);
      await child.snapshot(7);
      expect(await load(child)).toBe(7);
      expect(await load(await fork(child, 8))).toBe(7);
      expect(await load(await fork(child, 4))).toBe(3);
      expect(await load(parent)).toBe(6);
      await child.rewind(4);
      expect(await load(child)).toBe(3);
      await parent.scene.org.deleteSession(parent.sessionId);
      expect(await load(child)).toBe(3);
    });

    it("copy the prefix for another owner, and then hang on nothing", async () => {
      const parent = await written(scene(), "p2", "p3", "p4");
      const middle = await fork(parent, 3);
      await write(middle, "m5", "m6");
      await middle.rewind(2);
      const copy = await fork(middle, 7, { copy: true, owner: "usr_2" });
      const expected = ["", "p2", "p3", "", "m5", "m6", "", ""];
      expect(await texts(copy)).toEqual(expected);
      expect((await copy.store.find())?.rewinds).toEqual([{ at: 7, toSeq: 2 }]);
      await parent.scene.org.deleteSession(parent.sessionId);
      await parent.scene.org.deleteSession(middle.sessionId);
      expect(await texts(copy)).toEqual(expected);
      expect(await texts(await fork(copy, 2))).toEqual(["", "p2", ""]);
    });

    it("need a parent that is there and a seq that it has", async () => {
      const parent = await scene().held(3);
      const tryFork = (sessionId: string, seq: number) =>
        parent.scene.create({}, { fork: { sessionId, seq, copy: false } });
      expect(await refusal(tryFork("ses_none", 1))).toBe("session_not_found");
      expect(await refusal(tryFork(parent.sessionId, 4))).toBe("seq_not_found");
      expect((await parent.scene.org.listSessions({ limit: 10 })).items).toHaveLength(1);
    });
  });

  describe("deleting a session", () => {
    const scene = useStore(open);

    it("I2: takes all that hangs on it and fences its holder", async () => {
      const session = await written(scene(), "p2");
      const { org, store } = session.scene;
      expect(await org.deleteSession(session.sessionId)).toBe(true);
      expect(await org.deleteSession(session.sessionId)).toBe(false);
      expect(await session.store.find()).toBeNull();
      expect(await session.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await session.release()).toBe(false);
      expect(await store.system.heldMailboxes(session.workerId)).toEqual([]);
      expect(await org.countSessions()).toMatchObject({ idle: 0 });
    });

    it("frees its blobs once no fork needs them", async () => {
      const hash = (digit: string) => digit.repeat(64);
      const here = scene();
      const { orgId } = here;
      const { system } = here.store;
      const collected = async () => {
        await here.clock.advance(dayMs);
        const found = await system.collectBlobs({ ageMs: dayMs, limit: 1_000 });
        return found.filter((blob) => blob.orgId === orgId).map((blob) => blob.hash);
      };
      for (const digit of ["a", "b", "c"]) await system.noteBlob({ orgId, hash: hash(digit), size: 1 });
      const parent = await here.held(1);
      await parent.append(1, { blobs: [hash("a")] });
      await parent.append(1, { blobs: [hash("b"), hash("a")] });
      const child = await fork(parent, 2);
      const copy = await fork(parent, 3, { copy: true });
      await child.append(1, { blobs: [hash("c")] });
      expect(await collected()).toEqual([]);
      await here.org.deleteSession(copy.sessionId);
      await here.org.deleteSession(parent.sessionId);
      expect(await collected()).toEqual([hash("b")]);
      await here.org.deleteSession(child.sessionId);
      expect((await collected()).toSorted()).toEqual([hash("a"), hash("c")]);
      expect(await collected()).toEqual([]);
    });
  });
}

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { SessionCommit } from "../store.ts";
import { event, events, interrupt, message, type OpenStore, seqs, useStore } from "./scene.conformance.ts";

export function fencingConformance(open: OpenStore): void {
  describe("appending", () => {
    const scene = useStore(open);

    it("I1: numbers a session's events 1, 2, 3, ... over many commits, and gives them back as they were", async () => {
      const session = await scene().held(1);
      await session.append(3);
      await session.append(1, { events: [event(5, "user.message", 'quotes " and \\ and \u2028 and 🙂')] });
      const log = await session.store.readLog({ after: 0, limit: 100 });
      expect(log?.record.lastSeq).toBe(5);
      expect(log?.events).toEqual([
        ...events(1, 4),
        event(5, "user.message", 'quotes " and \\ and \u2028 and 🙂'),
      ]);
    });

    it("I1: refuses a commit that expects another last seq, and changes nothing", async () => {
      const session = await scene().held(3);
      expect(await session.append(1, { expectedSeq: 2, events: [event(3)] })).toEqual({
        ok: false,
        reason: "wrong_seq",
      });
      expect(await session.append(1, { expectedSeq: 4, events: [event(5)] })).toEqual({
        ok: false,
        reason: "wrong_seq",
      });
      expect(await session.logged()).toEqual([1, 2, 3]);
      expect(await session.append(1)).toEqual({ ok: true });
    });

    it("I2: refuses an epoch that is not the newest, and changes nothing", async () => {
      const old = await scene().held(1);
      const young = await old.scene.hold(old.sessionId, old.workerId);
      expect(young.epoch).toBe(old.epoch + 1);
      expect(await old.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await old.append(1, { epoch: young.epoch + 1 })).toEqual({ ok: false, reason: "fenced" });
      expect(await old.logged()).toEqual([1]);
      expect(await young.append(1)).toEqual({ ok: true });
    });

    it("I2: refuses an old epoch that wrote the last event, before and after the new one writes", async () => {
      const old = await scene().held(1);
      expect(await old.append(1)).toEqual({ ok: true });
      const young = await old.scene.hold(old.sessionId, old.workerId);
      expect(await old.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await young.append(1)).toEqual({ ok: true });
      expect(await old.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await old.append(1, { expectedSeq: 3, events: [event(4)] })).toEqual({
        ok: false,
        reason: "fenced",
      });
      expect(await young.append(1, { expectedSeq: 2, events: [event(3)] })).toEqual({
        ok: false,
        reason: "wrong_seq",
      });
      await young.release();
      expect(await young.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await young.logged()).toEqual([1, 2, 3]);
    });

    it("I2: of two holders that write at the same time only the newer one can", async () => {
      const old = await scene().held(1);
      const young = await old.scene.hold(old.sessionId, old.workerId);
      const outcomes = await Promise.all([old.append(1), young.append(1), old.append(1), old.append(2)]);
      expect(outcomes.map((outcome) => outcome.ok)).toEqual([false, true, false, false]);
      expect(await young.logged()).toEqual([1, 2]);
    });

    it("I2: refuses who has given the session back, and everybody before the first claim", async () => {
      const session = await scene().held(1);
      expect(await session.release()).toBe(true);
      expect(await session.append(1)).toEqual({ ok: false, reason: "fenced" });
      const { id } = await session.scene.create();
      const lane = session.scene.store.lane;
      const commit = {
        orgId: session.scene.orgId,
        sessionId: id,
        epoch: 0,
        expectedSeq: 1,
        events: [event(2)],
        taken: [],
      };
      expect(await lane.append(commit)).toEqual({ ok: false, reason: "fenced" });
      expect(await lane.append({ ...commit, sessionId: newId("session") })).toEqual({
        ok: false,
        reason: "fenced",
      });
    });

    it("I2: of two commits for the same seq at the same time one stands", async () => {
      const session = await scene().held(1);
      const both = await Promise.all([session.append(1), session.append(1)]);
      expect(both.filter((outcome) => outcome.ok)).toHaveLength(1);
      expect(await session.logged()).toEqual([1, 2]);
    });

    it("I1, I2, I3: of 64 at once, one stale, one at a wrong seq, one oversize and one with a taken input, 60 commit", async () => {
      const here = scene();
      const sessions = await Promise.all(Array.from({ length: 64 }, () => here.held(1)));
      const commits: SessionCommit[] = sessions.map((session) => ({
        ...session.ref,
        expectedSeq: 1,
        events: events(2, 2),
        taken: [],
      }));
      const taken = message();
      await here.store.session(here.orgId, sessions[40]?.sessionId ?? "").accept({ inputs: [taken] });
      await sessions[40]?.append(1, { taken: [taken.id] });
      const odd: Record<number, Partial<SessionCommit>> = {
        5: { epoch: 0 },
        17: { expectedSeq: 7, events: events(8, 2) },
        33: { events: [event(2), { ...event(3), json: JSON.stringify("x".repeat(16 * 1024 * 1024)) }] },
        40: { expectedSeq: 2, events: events(3, 1), taken: [taken.id] },
      };
      const outcomes = await Promise.all(
        commits.map((commit, index) => here.store.lane.append({ ...commit, ...odd[index] })),
      );
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(60);
      const reason = (index: number) => {
        const outcome = outcomes[index];
        return outcome === undefined || outcome.ok ? "ok" : outcome.reason;
      };
      expect([5, 17, 33, 40].map(reason)).toEqual(["fenced", "wrong_seq", "too_large", "duplicate_input"]);
      const logs = await Promise.all(sessions.map((session) => session.logged()));
      logs.forEach((log, index) => {
        const expected = index === 40 ? [1, 2] : index in odd ? [1] : [1, 2, 3];
        expect(log).toEqual(expected);
      });
    });

    it("I3: takes an input once: the second commit that names it changes nothing", async () => {
      const session = await scene().held(1);
      const [first, second] = [message(), message()];
      await session.store.accept({ inputs: [first, second] });
      expect(await session.append(1, { taken: [first.id] })).toEqual({ ok: true });
      expect((await session.store.mailbox()).map(({ id }) => id)).toEqual([second.id]);
      const again = await session.append(1, {
        taken: [second.id, first.id],
        projection: { session: { title: "no" } },
      });
      expect(again).toEqual({ ok: false, reason: "duplicate_input" });
      expect((await session.store.mailbox()).map(({ id }) => id)).toEqual([second.id]);
      expect((await session.store.find())?.title).toBeNull();
      expect(await session.append(1, { taken: [second.id, second.id] })).toEqual({
        ok: false,
        reason: "duplicate_input",
      });
      expect(await session.append(1, { taken: [second.id] })).toEqual({ ok: true });
      expect(await session.logged()).toEqual([1, 2, 3]);
    });

    it("I3: takes an input that is accepted beside it, and only as the next one where that is asked for", async () => {
      const session = await scene().held(1);
      const [first, urgent] = [message(), interrupt()];
      const accepting = session.store.accept({ inputs: [first] });
      expect(await session.append(1, { taken: [first.id], takesNext: true })).toEqual({ ok: true });
      await accepting;
      expect(await session.store.mailbox()).toEqual([]);
      const refused = { ok: false, reason: "duplicate_input" };
      expect(await session.append(1, { taken: [first.id], takesNext: true })).toEqual(refused);
      const [second, third] = [message(), message()];
      await session.store.accept({ inputs: [second, third] });
      await session.store.accept({ inputs: [urgent] });
      const taking = (...inputs: { id: string }[]) => ({
        taken: inputs.map(({ id }) => id),
        takesNext: true,
      });
      expect(await session.append(1, taking(third))).toEqual(refused);
      expect(await session.append(1, taking(second))).toEqual(refused);
      expect(await session.append(1, taking(urgent, second))).toEqual(refused);
      expect(await session.append(1, taking(urgent))).toEqual({ ok: true });
      expect(await session.append(1, taking(second))).toEqual({ ok: true });
      expect((await session.store.mailbox()).map(({ id }) => id)).toEqual([third.id]);
      expect(await session.logged()).toEqual([1, 2, 3, 4]);
    });

    it("I3: does not take an input of another session", async () => {
      const session = await scene().held(1);
      const other = await session.scene.held(1);
      const input = message();
      await other.store.accept({ inputs: [input] });
      expect(await session.append(1, { taken: [input.id] })).toEqual({
        ok: false,
        reason: "duplicate_input",
      });
      expect(await other.store.mailbox()).toHaveLength(1);
    });

    it("takes an event of just 16 MiB, and none that is a byte longer", async () => {
      const session = await scene().held(1);
      const frame = event(2, "agent.message", "").json.length;
      const fits = event(2, "agent.message", "x".repeat(16 * 1024 * 1024 - frame));
      const wide = event(2, "agent.message", "é".repeat((16 * 1024 * 1024 - frame) / 2 + 1));
      expect(await session.append(1, { events: [wide] })).toEqual({ ok: false, reason: "too_large" });
      expect(await session.append(1, { events: [{ ...fits, json: `${fits.json} ` }] })).toEqual({
        ok: false,
        reason: "too_large",
      });
      expect(await session.append(1, { events: [fits] })).toEqual({ ok: true });
      const log = await session.store.readLog({ after: 1, limit: 10, maxBytes: 1_000 });
      expect(log?.events[0]?.json.length).toBe(16 * 1024 * 1024);
    });

    it("reads a range of the log: after a seq, so many events, so many bytes and at least one", async () => {
      const session = await scene().held(1);
      await session.append(5);
      await session.append(4);
      const read = async (range: { after: number; limit: number; maxBytes?: number }) =>
        seqs((await session.store.readLog(range))?.events);
      expect(await read({ after: 3, limit: 100 })).toEqual([4, 5, 6, 7, 8, 9, 10]);
      expect(await read({ after: 4, limit: 3 })).toEqual([5, 6, 7]);
      expect(await read({ after: 10, limit: 100 })).toEqual([]);
      expect(await read({ after: 99, limit: 100 })).toEqual([]);
      expect(await read({ after: 5, limit: 100, maxBytes: 1 })).toEqual([6]);
      expect(await read({ after: 5, limit: 100, maxBytes: event(6).json.length * 2 + 1 })).toEqual([6, 7]);
    });
  });
}

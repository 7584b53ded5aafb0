import { describe, expect, it } from "vitest";
import type { NewInput } from "../records.ts";
import { interrupt, message, type OpenStore, refusal, useStore } from "./scene.conformance.ts";

const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
const dayMs = 86_400_000;

export function mailboxConformance(open: OpenStore): void {
  describe("mailbox", () => {
    const scene = useStore(open);

    it("I3: holds inputs by lane, control before steer before queue, and by acceptance within each", async () => {
      const session = await scene().held(1);
      const inputs = (["queue", "steer", "control", "queue", "control", "steer"] as const).map((lane) =>
        message({ lane, runId: null }),
      );
      for (const input of inputs) await session.store.accept({ inputs: [input] });
      const waiting = await session.store.mailbox();
      expect(ids(waiting)).toEqual([2, 4, 1, 5, 0, 3].map((index) => inputs[index]?.id));
      const positions = waiting.map(({ lane, position }) => `${lane} ${position}`);
      expect(positions).toEqual(["control 3", "control 5", "steer 2", "steer 6", "queue 1", "queue 4"]);
    });

    it("gives an input back as it was accepted, with the time of acceptance", async () => {
      const session = await scene().held(1);
      const input = message({
        body: { type: "user.approval", approvalId: "apr_1", decision: "edit", input: { a: [1, null] } },
        traceparent: "00-1-2-03",
        lane: "control",
        runId: null,
      });
      await session.store.accept({ inputs: [input] });
      const { clientId: _, ...kept } = input;
      const acceptedAt = session.scene.clock.now();
      const { orgId } = session.scene;
      expect(await session.store.mailbox()).toEqual([
        { ...kept, orgId, sessionId: session.sessionId, position: 1, acceptedAt },
      ]);
    });

    it("answers with the number of inputs that wait before, and with the run", async () => {
      const session = await scene().held(1);
      const [a, b, c] = [message(), message(), message()];
      const first = await session.store.accept({ inputs: [a, b] });
      expect(first.result).toEqual([
        { id: a.id, position: 0, runId: a.runId },
        { id: b.id, position: 1, runId: b.runId },
      ]);
      await session.append(1, { taken: [a.id] });
      expect((await session.store.accept({ inputs: [c] })).result).toEqual([
        { id: c.id, position: 1, runId: c.runId },
      ]);
      expect(ids(await session.store.mailbox())).toEqual([b.id, c.id]);
    });

    it("gives each message that starts a run its row, as queued", async () => {
      const session = await scene().held(1);
      const [queued, control] = [message(), interrupt()];
      await session.store.accept({ inputs: [queued, control] });
      const run = await session.scene.org.findRun(queued.runId ?? "");
      expect(run).toMatchObject({
        sessionId: session.sessionId,
        status: "queued",
        createdAt: session.scene.clock.now(),
      });
      expect((await session.scene.org.listRuns({ limit: 10 })).items).toHaveLength(1);
    });

    it("refuses what comes over the limit with mailbox_full, all of the change or nothing", async () => {
      const session = await scene().held(1);
      await session.store.accept({ inputs: [message(), message()], limit: 3 });
      expect(await refusal(session.store.accept({ inputs: [message(), message()], limit: 3 }))).toBe(
        "mailbox_full",
      );
      expect(await session.store.mailbox()).toHaveLength(2);
      await session.store.accept({ inputs: [interrupt()], limit: 3 });
      expect(await session.store.mailbox()).toHaveLength(3);
      expect((await session.scene.org.listRuns({ limit: 10 })).items).toHaveLength(2);
    });

    it("lets a thousand wait unless told otherwise", async () => {
      const session = await scene().held(1);
      await session.store.accept({ inputs: Array.from({ length: 1_000 }, () => interrupt()) });
      expect(await refusal(session.store.accept({ inputs: [interrupt()] }))).toBe("mailbox_full");
    });

    it("refuses a session that does not exist, and messages to an archived one", async () => {
      const session = await scene().held(1);
      const nowhere = session.scene.store.session(session.scene.orgId, "ses_none");
      expect(await refusal(nowhere.accept({ inputs: [message()] }))).toBe("session_not_found");
      await session.append(1, { projection: { session: { status: "archived" } } });
      expect(await refusal(session.store.accept({ inputs: [message()] }))).toBe("session_archived");
      const text = message({ body: { type: "system.message", content: "x" }, runId: null });
      expect(await refusal(session.store.accept({ inputs: [text] }))).toBe("session_archived");
      await session.store.accept({ inputs: [interrupt()] });
      const unarchive = interrupt({ body: { type: "session.archive", archived: false } });
      await session.store.accept({ inputs: [unarchive, message()] });
      expect(await session.store.mailbox()).toHaveLength(3);
    });

    it("refuses a busy session only when asked to: a run that goes on, waits, or is queued", async () => {
      const session = await scene().held(1);
      const reject = () => session.store.accept({ inputs: [message()], rejectIfBusy: true });
      await session.append(1, { projection: { session: { status: "running", currentRunId: "run_1" } } });
      expect(await refusal(reject())).toBe("session_busy");
      await session.append(1, { projection: { session: { status: "waiting", currentRunId: "run_1" } } });
      expect(await refusal(reject())).toBe("session_busy");
      await session.append(1, { projection: { session: { status: "idle", currentRunId: null } } });
      await session.store.accept({ inputs: [interrupt()] });
      const { result } = await reject();
      expect(result).toHaveLength(1);
      expect(await refusal(reject())).toBe("session_busy");
      await session.store.accept({ inputs: [message()] });
      expect(await session.store.mailbox()).toHaveLength(3);
    });

    it("reads the mailboxes of all sessions that a worker holds, and of no other", async () => {
      const here = scene();
      const [a, b, other] = [await here.held(1), await here.create(), await here.held(1)];
      const held = await here.hold(b.id, a.workerId);
      const late = message();
      const early = interrupt();
      await a.store.accept({ inputs: [late, early] });
      await held.store.accept({ inputs: [message()] });
      await other.store.accept({ inputs: [message()] });
      const found = await here.store.system.heldMailboxes(a.workerId);
      expect(found.map(({ sessionId }) => sessionId).toSorted()).toEqual(
        [a.sessionId, a.sessionId, b.id].toSorted(),
      );
      expect(ids(found.filter(({ sessionId }) => sessionId === a.sessionId))).toEqual([early.id, late.id]);
    });
  });

  describe("clientId", () => {
    const scene = useStore(open);
    const send = (clientId: string, change: Partial<NewInput> = {}) => message({ clientId, ...change });

    it("I3: accepts an input once, also when the first is long taken", async () => {
      const session = await scene().held(1);
      const first = send("a");
      const { result } = await session.store.accept({ inputs: [first] });
      expect((await session.store.accept({ inputs: [send("a")] })).result).toEqual(result);
      await session.append(1, { taken: [first.id] });
      expect((await session.store.accept({ inputs: [send("a")] })).result).toEqual(result);
      expect(await session.store.mailbox()).toEqual([]);
      expect((await session.scene.org.listRuns({ limit: 10 })).items).toHaveLength(1);
    });

    it("accepts one of two that come at once or in one change", async () => {
      const session = await scene().held(1);
      const [one, two] = await Promise.all([
        session.store.accept({ inputs: [send("a")] }),
        session.store.accept({ inputs: [send("a"), send("b"), send("b")] }),
      ]);
      expect(two.result[0]).toEqual(one.result[0]);
      expect(two.result[2]).toEqual(two.result[1]);
      expect(await session.store.mailbox()).toHaveLength(2);
    });

    it("answers a repeat before it refuses anything", async () => {
      const session = await scene().held(1);
      const { result } = await session.store.accept({ inputs: [send("a")], rejectIfBusy: true, limit: 1 });
      expect(
        (await session.store.accept({ inputs: [send("a")], rejectIfBusy: true, limit: 1 })).result,
      ).toEqual(result);
      await session.append(1, { projection: { session: { status: "archived" } } });
      expect((await session.store.accept({ inputs: [send("a")] })).result).toEqual(result);
    });

    it("is unique within a session only", async () => {
      const session = await scene().held(1);
      const other = await session.scene.held(1);
      await session.store.accept({ inputs: [send("a")] });
      await other.store.accept({ inputs: [send("a")] });
      expect(await other.store.mailbox()).toHaveLength(1);
    });

    it("is forgotten after 24 h, but not while its input waits", async () => {
      const session = await scene().held(1);
      const [gone, waiting] = [send("gone"), send("waiting")];
      await session.store.accept({ inputs: [gone, waiting] });
      await session.append(1, { taken: [gone.id] });
      await session.scene.clock.advance(dayMs - 1);
      await session.scene.store.system.prune({ idempotencyMs: dayMs });
      await session.store.accept({ inputs: [send("gone")] });
      expect(await session.store.mailbox()).toHaveLength(1);
      await session.scene.clock.advance(1);
      await session.scene.store.system.prune({ idempotencyMs: dayMs });
      const again = send("gone");
      expect((await session.store.accept({ inputs: [again] })).result[0]?.id).toBe(again.id);
      expect((await session.store.accept({ inputs: [send("waiting")] })).result[0]?.id).toBe(waiting.id);
    });
  });
}

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import { told } from "./budget-scene.conformance.ts";
import {
  interrupt,
  leaseMs,
  message,
  type OpenStore,
  refusal,
  type Scene,
  useStore,
} from "./scene.conformance.ts";

async function liveWorker({ store }: Scene): Promise<string> {
  const workerId = newId("worker");
  await store.system.heartbeat(workerId);
  return workerId;
}

export function holdingConformance(open: OpenStore): void {
  describe("claim", () => {
    const scene = useStore(open);

    it("I2: gives a free session to one of many that want it, with a new epoch", async () => {
      const here = scene();
      const { id } = await here.create();
      const workers = await Promise.all(Array.from({ length: 20 }, () => liveWorker(here)));
      const claims = await Promise.all(workers.map((workerId) => here.claim(id, workerId)));
      const won = claims.filter((claim) => claim.ok);
      expect(won).toHaveLength(1);
      expect(won[0]).toMatchObject({ epoch: 1, claimsWithoutEvent: 1, record: { id, epoch: 1 } });
      const winner = workers[claims.findIndex((claim) => claim.ok)];
      const lost = claims.filter((claim) => !claim.ok);
      expect(lost).toEqual(lost.map(() => ({ ok: false, reason: "held", holder: winner })));
      expect(lost).toHaveLength(19);
      expect((await here.org.findSession(id))?.holder).toBe(winner);
    });

    it("leaves a session with a live worker, and takes it when the heartbeat is older than the lease", async () => {
      const here = scene();
      const session = await here.held(1);
      const other = await liveWorker(here);
      await here.clock.advance(leaseMs - 1);
      expect(await here.claim(session.sessionId, other)).toMatchObject({ ok: false, reason: "held" });
      await here.store.system.heartbeat(session.workerId);
      await here.clock.advance(leaseMs - 1);
      expect(await here.claim(session.sessionId, other)).toMatchObject({ ok: false, reason: "held" });
      await here.clock.advance(1);
      expect(await here.claim(session.sessionId, other)).toMatchObject({ ok: true, epoch: 2 });
      expect(await session.append(1)).toEqual({ ok: false, reason: "fenced" });
    });

    it("takes none from a living worker when the wall clock jumps, and does not wait longer for a dead one", async () => {
      const here = scene();
      const session = await here.held(1);
      const other = await liveWorker(here);
      await session.store.accept({ inputs: [message()] });
      const orphans = async () => (await here.store.system.orphans({ leaseMs, limit: 10 })).length;
      here.clock.stepWallClock(3_600_000);
      expect(await here.claim(session.sessionId, other)).toMatchObject({ ok: false, reason: "held" });
      expect(await orphans()).toBe(0);
      here.clock.stepWallClock(-7_200_000);
      await here.clock.advance(leaseMs);
      expect(await orphans()).toBe(1);
      expect(await here.claim(session.sessionId, other)).toMatchObject({ ok: true, epoch: 2 });
      await here.org.deleteSession(session.sessionId);
    });

    it("takes a session whose worker is gone, and one that it holds itself, each time with a higher epoch", async () => {
      const here = scene();
      const session = await here.held(1);
      expect(await here.claim(session.sessionId, session.workerId)).toMatchObject({ ok: true, epoch: 2 });
      await here.store.system.removeWorker(session.workerId);
      expect((await session.store.find())?.holder).toBeNull();
      expect(await here.claim(session.sessionId, await liveWorker(here))).toMatchObject({
        ok: true,
        epoch: 3,
      });
    });

    it("takes a session whose holder was never heard of", async () => {
      const here = scene();
      const { id } = await here.create();
      expect(await here.claim(id, "wrk_silent")).toMatchObject({ ok: true });
      expect(await here.claim(id, await liveWorker(here))).toMatchObject({ ok: true, epoch: 2 });
    });

    it("does not find a session that is not there", async () => {
      expect(await scene().claim(newId("session"), "wrk_1")).toEqual({ ok: false, reason: "not_found" });
    });

    it("counts claims since the last event or the last orderly end", async () => {
      const here = scene();
      const session = await here.held(1);
      const again = async () => {
        const claim = await here.claim(session.sessionId, session.workerId);
        return claim.ok ? claim.claimsWithoutEvent : claim.reason;
      };
      expect([await again(), await again()]).toEqual([2, 3]);
      const current = await here.hold(session.sessionId, session.workerId);
      await current.append(1);
      expect(await again()).toBe(1);
      expect(await again()).toBe(2);
      await (await here.hold(session.sessionId, session.workerId)).release();
      expect(await again()).toBe(1);
      await here.store.system.removeWorker(session.workerId);
      expect(await again()).toBe(1);
    });

    it("takes nothing of a suspended organization, whose holders can write no more, until it is active again", async () => {
      const here = scene();
      const { identity } = here.store.system;
      const made = { orgId: here.orgId, caller: here.orgId, slug: "here", name: "Here" };
      await identity.createOrg({ ...made, audit: told("org.created") });
      const [session, elsewhere] = [await here.held(1), await here.neighbour().held(1)];
      const orphans = async () => {
        const found = await here.store.system.orphans({ leaseMs: 1_000, limit: 10 });
        return found.map(({ sessionId }) => sessionId);
      };
      await session.store.accept({ inputs: [message()] });
      await here.org.identity.updateOrg({ status: "suspended", audit: told("org.suspended") });
      expect(await session.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await elsewhere.append(1)).toEqual({ ok: true });
      expect(await here.claim(session.sessionId, session.workerId)).toEqual({
        ok: false,
        reason: "suspended",
      });
      expect(await orphans()).toEqual([]);
      await here.org.identity.updateOrg({ status: "active", audit: told("org.resumed") });
      expect(await orphans()).toEqual([session.sessionId]);
      expect(await here.claim(session.sessionId, session.workerId)).toMatchObject({ ok: true });
    });

    it("leaves a session alone whose events are of a newer version", async () => {
      const here = scene();
      const session = await here.held(1);
      await session.append(1, { maxEventVersion: 3 });
      await session.append(1, { maxEventVersion: 2 });
      expect(await here.claim(session.sessionId, session.workerId, 2)).toEqual({
        ok: false,
        reason: "newer_schema",
      });
      expect(await here.claim(session.sessionId, session.workerId, 3)).toMatchObject({ ok: true });
    });
  });

  describe("release", () => {
    const scene = useStore(open);

    it("I3: fails while the mailbox has rows, in whatever order the two arrive", async () => {
      const session = await scene().held(1);
      const input = message();
      const [, released] = await Promise.all([session.store.accept({ inputs: [input] }), session.release()]);
      expect(released).toBe(false);
      expect((await session.store.find())?.holder).toBe(session.workerId);
      await session.append(1, { taken: [input.id] });
      expect(await session.release()).toBe(true);
      expect((await session.store.find())?.holder).toBeNull();
    });

    it("with its inputs leaves them to the next who claims it, whom a scan finds", async () => {
      const session = await scene().held(1);
      const { ref, scene: here } = session;
      await session.store.accept({ inputs: [message()] });
      const give = (epoch: number) => here.store.system.release({ ...ref, epoch, withInputs: true });
      expect([await give(ref.epoch - 1), await give(ref.epoch), await give(ref.epoch)]).toEqual([
        false,
        true,
        false,
      ]);
      expect(await session.store.mailbox()).toHaveLength(1);
      expect(await here.store.system.orphans({ leaseMs, limit: 1_000 })).toContainEqual({
        orgId: here.orgId,
        sessionId: session.sessionId,
        owner: "usr_1",
      });
    });

    it("fails with an old epoch and when it was given back before", async () => {
      const old = await scene().held(1);
      const young = await old.scene.hold(old.sessionId, old.workerId);
      expect(await old.release()).toBe(false);
      expect(await young.release()).toBe(true);
      expect(await young.release()).toBe(false);
    });
  });

  describe("quarantine", () => {
    const scene = useStore(open);

    it("makes a session readable and nothing else, until it is lifted", async () => {
      const session = await scene().held(2);
      const { system } = session.scene.store;
      await session.store.accept({ inputs: [message()] });
      await session.append(1, { projection: { session: { status: "running", currentRunId: "run_1" } } });
      await system.quarantine(session.ref);
      expect(await session.store.find()).toMatchObject({
        status: "quarantined",
        holder: null,
        currentRunId: "run_1",
      });
      expect(await session.logged()).toEqual([1, 2, 3]);
      expect(await session.append(1)).toEqual({ ok: false, reason: "fenced" });
      expect(await session.scene.claim(session.sessionId, "wrk_1")).toEqual({
        ok: false,
        reason: "quarantined",
      });
      expect(await refusal(session.store.accept({ inputs: [interrupt()] }))).toBe("session_quarantined");
      expect(await system.orphans({ leaseMs, limit: 100 })).not.toContainEqual(
        expect.objectContaining({ sessionId: session.sessionId }),
      );
      expect(await system.liftQuarantine(session.ref)).toBe(true);
      expect(await system.liftQuarantine(session.ref)).toBe(false);
      expect((await session.store.find())?.status).toBe("running");
      expect(await session.scene.claim(session.sessionId, "wrk_1")).toMatchObject({
        ok: true,
        claimsWithoutEvent: 1,
      });
    });

    it("needs the epoch that holds it", async () => {
      const old = await scene().held(1);
      const young = await old.scene.hold(old.sessionId, old.workerId);
      await old.scene.store.system.quarantine(old.ref);
      expect((await young.store.find())?.status).toBe("idle");
    });
  });

  describe("orphans", () => {
    const scene = useStore(open);
    const orphansOf = async ({ store, orgId }: Scene, limit = 1_000) => {
      const found = await store.system.orphans({ leaseMs, limit });
      return found.filter((orphan) => orphan.orgId === orgId).map(({ sessionId }) => sessionId);
    };

    it("finds sessions with inputs or with a run that goes on, whom no live worker holds", async () => {
      const here = scene();
      const withInput = await here.create({}, { inputs: [message()] });
      const running = await here.create({ status: "running", currentRunId: "run_1" });
      const both = await here.create({ status: "running", currentRunId: "run_2" }, { inputs: [message()] });
      await here.create({ status: "waiting", currentRunId: "run_3" });
      const decided = await here.create(
        { status: "waiting", currentRunId: "run_4" },
        { inputs: [message(), interrupt()] },
      );
      // A run that waits takes no message: whoever claimed it could only wait as well.
      await here.create({ status: "waiting", currentRunId: "run_5" }, { inputs: [message()] });
      await here.create();
      const archived = await here.create({ status: "archived" }, { inputs: [interrupt()] });
      const held = await here.held(1, { status: "running" });
      const expected = [withInput.id, running.id, both.id, decided.id, archived.id];
      expect((await orphansOf(here)).toSorted()).toEqual(expected.toSorted());
      await here.clock.advance(leaseMs);
      expect((await orphansOf(here)).toSorted()).toEqual([...expected, held.sessionId].toSorted());
    });

    it("comes to every one of them in turn, however many nobody takes", async () => {
      const here = scene();
      const created = await Promise.all(
        Array.from({ length: 7 }, () => here.create({}, { inputs: [message()] })),
      );
      const seen = new Set<string>();
      for (let scan = 0; scan < 20 && seen.size < 7; scan++) {
        for (const id of await orphansOf(here, 2)) seen.add(id);
      }
      expect([...seen].toSorted()).toEqual(created.map(({ id }) => id).toSorted());
    });
  });
}

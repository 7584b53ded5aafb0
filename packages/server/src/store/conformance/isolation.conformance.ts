import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import {
  agentNamed,
  event,
  interrupt,
  leaseMs,
  message,
  type OpenStore,
  refusal,
  useStore,
} from "./scene.conformance.ts";

export function isolationConformance(open: OpenStore): void {
  describe("isolation of orgs", () => {
    const scene = useStore(open);

    /** A session with all that can hang on one. */
    async function furnished() {
      const here = scene();
      const session = await here.held(3, { key: "k", title: "secret" });
      const [run, approval, input] = [newId("run"), newId("approval"), message({ clientId: "c" })];
      const asked = { runId: run, toolUseId: "t", tool: "x", input: {}, inputHash: "h", path: [] };
      await session.append(1, {
        blobs: ["a".repeat(64)],
        projection: {
          runs: [{ id: run, status: "running" }],
          approvals: [{ op: "insert", row: { id: approval, ...asked, createdAt: 1, expiresAt: 2 } }],
          rewind: { at: 4, toSeq: 1 },
        },
      });
      await session.store.accept({ inputs: [input] });
      await session.snapshot(4);
      const agent = (await here.org.createAgent({ id: newId("agent"), definition: agentNamed("helper") }))
        .result;
      return { here, session, run, approval, input, agent };
    }

    async function everything({
      here,
      session,
      run,
      approval,
      agent,
    }: Awaited<ReturnType<typeof furnished>>) {
      return {
        record: await here.org.findSession(session.sessionId),
        log: await session.store.readLog({ after: 0, limit: 100 }),
        load: await session.store.load({ stateVersion: 1 }),
        mailbox: await session.store.mailbox(),
        run: await here.org.findRun(run),
        approval: await here.org.findApproval(approval),
        agent: await here.org.findAgent(agent.id),
        versions: await here.org.listAgentVersions(agent.id, { limit: 10 }),
        counts: await here.org.countSessions(),
      };
    }

    it("I10: another org reads nothing with this org's ids", async () => {
      const { here, session, run, approval, agent } = await furnished();
      const other = here.neighbour();
      const stranger = here.store.session(other.orgId, session.sessionId);
      expect(await other.org.findSession(session.sessionId)).toBeNull();
      expect(await other.org.findSessionByKey("usr_1", "k")).toBeNull();
      const none = { items: [], next: null };
      const { sessionId } = session;
      expect(await other.org.listSessions({ limit: 10 })).toEqual(none);
      expect(await other.org.listSessions({ limit: 10, key: "k", search: "secret" })).toEqual(none);
      expect(Object.values(await other.org.countSessions())).toEqual([0, 0, 0, 0, 0]);
      expect(await other.org.findRun(run)).toBeNull();
      expect(await other.org.listRuns({ limit: 10, sessionId })).toEqual(none);
      expect(await other.org.findApproval(approval)).toBeNull();
      expect(await other.org.listApprovals({ limit: 10, sessionId })).toEqual(none);
      expect(await other.org.findAgent(agent.id)).toBeNull();
      expect(await other.org.findAgent("helper")).toBeNull();
      expect(await other.org.findAgent(agent.id, 1)).toBeNull();
      expect(await other.org.listAgents({ limit: 10 })).toEqual(none);
      expect(await other.org.listAgentVersions(agent.id, { limit: 10 })).toEqual(none);
      expect(await stranger.find()).toBeNull();
      expect(await stranger.mailbox()).toEqual([]);
      expect(await stranger.readLog({ after: 0, limit: 10 })).toBeNull();
      expect(await stranger.load({ stateVersion: 1 })).toBeNull();
      expect(await here.store.system.hasBlob({ orgId: other.orgId, hash: "a".repeat(64) })).toBe(false);
    });

    it("I10: another org changes nothing with this org's ids", async () => {
      const furniture = await furnished();
      const { here, session, run, approval, input, agent } = furniture;
      const before = await everything(furniture);
      const other = here.neighbour();
      const { sessionId, epoch, workerId } = session;
      const ref = { orgId: other.orgId, sessionId, epoch };
      const stranger = here.store.session(other.orgId, sessionId);
      const { system, lane } = here.store;
      expect(await refusal(stranger.accept({ inputs: [interrupt()] }))).toBe("session_not_found");
      await stranger.putSnapshot({ seq: 2, stateVersion: 1, body: "forged", epoch });
      const commit = { ...ref, expectedSeq: 4, events: [event(5)], taken: [] };
      expect(await lane.append(commit)).toEqual({ ok: false, reason: "fenced" });
      expect(await lane.append({ ...commit, taken: [input.id] })).toEqual({ ok: false, reason: "fenced" });
      expect(await system.claim({ ...ref, workerId, leaseMs, knownEventVersion: 1 })).toEqual({
        ok: false,
        reason: "not_found",
      });
      expect(await system.release(ref)).toBe(false);
      await system.quarantine(ref);
      expect(await system.liftQuarantine(ref)).toBe(false);
      expect(await other.org.deleteSession(sessionId)).toBe(false);
      const fork = { sessionId, seq: 2, copy: true };
      expect(await refusal(other.create({}, { fork }))).toBe("session_not_found");
      expect(await refusal(other.create({}, { fork: { ...fork, copy: false } }))).toBe("session_not_found");
      const put = other.org.putAgent({ id: agent.id, definition: agentNamed("helper") });
      expect(await refusal(put)).toBe("agent_not_found");
      expect(await other.org.archiveAgent(agent.id, true)).toBeNull();
      expect((await other.create({ key: "k" })).id).not.toBe(sessionId);
      const mine = await other.held(1);
      await mine.append(1, {
        projection: {
          runs: [{ id: run, status: "failed" }],
          approvals: [
            { op: "decide", id: approval, status: "allowed", decidedBy: "x", note: null, decidedAt: 1 },
          ],
        },
      });
      expect(await mine.append(1, { taken: [input.id] })).toEqual({ ok: false, reason: "duplicate_input" });
      expect(await everything(furniture)).toEqual(before);
    });

    it("I10: an org's store creates sessions for that org only", async () => {
      const here = scene();
      const other = here.neighbour();
      expect(await refusal(other.org.createSession(here.newSession()))).toBe("internal");
    });
  });
}

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { AuditDraft } from "../audit.ts";
import type { SessionRecord } from "../records.ts";
import { message, type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const hour = 3_600_000;

function entry(action: string): AuditDraft {
  const actor = { type: "user", id: "usr_1", name: "One" } as const;
  const rest = { credential: null, target: null, requestId: null, address: null, details: {} };
  return { id: newId("audit"), actor, action, outcome: "done", ...rest };
}

export function accessConformance(open: OpenStore): void {
  describe("who may see a session", () => {
    const scene = useStore(open);

    async function run(here: Scene, sessionId: string): Promise<string> {
      const input = message();
      await here.store.session(here.orgId, sessionId).accept({ inputs: [input] });
      return input.runId ?? "";
    }

    async function approval(here: Scene, sessionId: string): Promise<string> {
      const id = newId("approval");
      const asked = { runId: "run_1", toolUseId: "t", tool: "x", input: {}, inputHash: "h", path: [] };
      const held = await here.hold(sessionId);
      const row = { id, ...asked, createdAt: 1, expiresAt: 2 };
      await held.append(1, { projection: { approvals: [{ op: "insert", row }] } });
      return id;
    }

    const share = (here: Scene, sessionId: string, visibility: "org" | "private") =>
      here.store.session(here.orgId, sessionId).accept({ inputs: [], visibility, audit: entry("shared") });

    it("is its owner alone until it is shared, and again when it is not any more", async () => {
      const here = scene();
      const mine = await here.create({ owner: "usr_1" });
      const shared = await here.create({ owner: "usr_2", visibility: "org" });
      const theirs = await here.create({ owner: "usr_2" });
      const seen = async (who: string) =>
        (await here.org.listSessions({ limit: 10, visibleTo: who })).items.map(({ id }) => id);
      const newestFirst = (...sessions: { id: string }[]) =>
        sessions
          .map(({ id }) => id)
          .toSorted()
          .toReversed();
      expect([mine.visibility, shared.visibility]).toEqual(["private", "org"]);
      expect(await seen("usr_1")).toEqual(newestFirst(mine, shared));
      expect(await seen("usr_2")).toEqual(newestFirst(shared, theirs));
      expect(await seen("usr_3")).toEqual([shared.id]);
      await share(here, theirs.id, "org");
      await share(here, shared.id, "private");
      expect(await seen("usr_1")).toEqual(newestFirst(mine, theirs));
      expect(await seen("usr_3")).toEqual([theirs.id]);
      expect((await here.org.listSessions({ limit: 10 })).items).toHaveLength(3);
    });

    it("holds together with every filter, and over pages", async () => {
      const here = scene();
      const agent = { id: "agt_2", version: 1, name: "other" };
      const all: SessionRecord[] = [];
      for (let i = 0; i < 12; i++) {
        const owner = `usr_${i % 3}`;
        const visibility = i % 2 === 0 ? "org" : "private";
        const status = i % 4 === 0 ? "running" : "idle";
        const key = `key-${i}`;
        all.push(
          await here.create({ owner, visibility, status, key, title: `t${i}`, ...(i > 5 && { agent }) }),
        );
      }
      const mayBeSeen = all.filter(({ owner, visibility }) => owner === "usr_1" || visibility === "org");
      const pages = async (filter: object) => {
        const found: string[] = [];
        let after: string | null = null;
        do {
          const page = { visibleTo: "usr_1", ...filter, limit: 2, ...(after !== null && { after }) };
          const { items, next } = await here.org.listSessions(page);
          found.push(...items.map(({ id }) => id));
          after = next;
        } while (after !== null);
        return found;
      };
      const expected = (passes: (session: (typeof all)[number]) => boolean) =>
        mayBeSeen
          .filter(passes)
          .map(({ id }) => id)
          .toSorted()
          .toReversed();
      expect(await pages({})).toEqual(expected(() => true));
      expect(await pages({ owner: "usr_1" })).toEqual(expected(({ owner }) => owner === "usr_1"));
      expect(await pages({ owner: "usr_2" })).toEqual(expected(({ owner }) => owner === "usr_2"));
      expect(await pages({ agentId: "agt_2" })).toEqual(expected((one) => one.agent.id === "agt_2"));
      expect(await pages({ status: "running" })).toEqual(expected(({ status }) => status === "running"));
      expect(await pages({ status: "idle" })).toEqual(expected(({ status }) => status === "idle"));
      expect(await pages({ search: "T1" })).toEqual(
        expected(({ title }) => title?.startsWith("t1") ?? false),
      );
      expect(await pages({ archived: true })).toEqual([]);
      for (const { key } of all) {
        expect(await pages({ key })).toEqual(expected((one) => one.key === key));
      }
    });

    it("counts for runs and approvals too, those that were there before included", async () => {
      const here = scene();
      const mine = await here.create({ owner: "usr_1" });
      const theirs = await here.create({ owner: "usr_2" });
      const [myRun, theirRun] = [await run(here, mine.id), await run(here, theirs.id)];
      const [myApproval, theirApproval] = [await approval(here, mine.id), await approval(here, theirs.id)];
      const seen = async () => {
        const ids = (page: { items: readonly { id: string }[] }) => page.items.map(({ id }) => id);
        const filter = { limit: 10, visibleTo: "usr_1" };
        const queued = { ...filter, status: "queued" } as const;
        const pending = { ...filter, status: "pending" } as const;
        return {
          runs: ids(await here.org.listRuns(filter)),
          open: ids(await here.org.listRuns(queued)),
          ofTheirs: ids(await here.org.listRuns({ ...filter, sessionId: theirs.id })),
          approvals: ids(await here.org.listApprovals(filter)),
          pending: ids(await here.org.listApprovals(pending)),
        };
      };
      const own = { runs: [myRun], open: [myRun], approvals: [myApproval], pending: [myApproval] };
      expect(await seen()).toEqual({ ...own, ofTheirs: [] });
      await share(here, theirs.id, "org");
      const later = await run(here, theirs.id);
      const runs = [myRun, theirRun, later].toSorted().toReversed();
      const approvals = [myApproval, theirApproval].toSorted().toReversed();
      const ofTheirs = [theirRun, later].toSorted().toReversed();
      expect(await seen()).toEqual({ runs, open: runs, ofTheirs, approvals, pending: approvals });
      expect((await here.org.listRuns({ limit: 1, visibleTo: "usr_1" })).next).toBe(runs[0]);
      await share(here, theirs.id, "private");
      expect(await seen()).toEqual({ ...own, ofTheirs: [] });
    });

    it("changes once for its idempotency key", async () => {
      const here = scene();
      const { id } = await here.create();
      const idempotency = { scope: "s", key: "k", bodyHash: "h" };
      const session = here.store.session(here.orgId, id);
      const change = { inputs: [], visibility: "org", audit: entry("shared"), idempotency } as const;
      expect(await session.accept(change)).toEqual({ result: [], replayed: false });
      await share(here, id, "private");
      expect(await session.accept(change)).toEqual({ result: [], replayed: true });
      expect((await here.org.findSession(id))?.visibility).toBe("private");
    });
  });

  describe("share links", () => {
    const scene = useStore(open);

    async function linked(here: Scene, tokenHash = newId("request")) {
      await here.store.system.singleTenant();
      const { id: sessionId } = await here.create();
      const id = newId("shareLink");
      const link = { id, sessionId, tokenHash, createdBy: "usr_1", expiresAt: here.clock.now() + hour };
      const { result } = await here.org.access.createShareLink({
        ...link,
        audit: entry("share_link.created"),
      });
      return { result, tokenHash, sessionId };
    }

    /** An organization that is known to the store. */
    async function tenant(): Promise<Scene> {
      const here = scene();
      const { orgId } = await here.store.system.singleTenant();
      return Object.assign(Object.create(Object.getPrototypeOf(here) as object) as Scene, here, {
        orgId,
        org: here.store.org(orgId),
      });
    }

    it("are found by their token until they expire or are revoked", async () => {
      const here = await tenant();
      const { system } = here.store;
      const { result, tokenHash, sessionId } = await linked(here);
      expect(result).toMatchObject({ sessionId, createdBy: "usr_1", revokedAt: null, uses: 0 });
      expect(await system.access.findShareLinkByToken(tokenHash)).toEqual(result);
      expect(await system.access.findShareLinkByToken("another")).toBeNull();
      const revoke = { sessionId, id: result.id, audit: entry("share_link.revoked") };
      expect(await here.org.access.revokeShareLink({ ...revoke, sessionId: "ses_other" })).toBeNull();
      expect((await here.org.access.revokeShareLink(revoke))?.revokedAt).toBe(here.clock.now());
      expect(await here.org.access.revokeShareLink(revoke)).toBeNull();
      expect(await system.access.findShareLinkByToken(tokenHash)).toBeNull();
      const second = await linked(here);
      await here.clock.advance(hour);
      expect(await system.access.findShareLinkByToken(second.tokenHash)).toBeNull();
    });

    it("are listed with their uses, and go with their session", async () => {
      const here = await tenant();
      const { result, tokenHash, sessionId } = await linked(here);
      const { orgId, id } = result;
      await here.store.system.access.noteShareLinkUses([
        { orgId, id, at: 5, count: 2 },
        { orgId, id, at: 3, count: 1 },
      ]);
      const used = { ...result, uses: 3, lastUsedAt: 5 };
      expect(await here.org.access.listShareLinks({ sessionId, limit: 5 })).toEqual({
        items: [used],
        next: null,
      });
      await here.org.deleteSession(sessionId);
      expect(await here.org.access.findShareLink(id)).toBeNull();
      expect(await here.store.system.access.findShareLinkByToken(tokenHash)).toBeNull();
      const again = { id: newId("shareLink"), sessionId, tokenHash: "x", createdBy: "usr_1", expiresAt: 1 };
      const created = here.org.access.createShareLink({ ...again, audit: entry("share_link.created") });
      expect(await refusal(created)).toBe("session_not_found");
    });

    it("I10: another org neither sees nor makes nor revokes them, and shares no session of this one", async () => {
      const here = await tenant();
      const { result, tokenHash, sessionId } = await linked(here);
      const other = here.neighbour();
      const audit = entry("share_link.created");
      expect(await other.org.access.findShareLink(result.id)).toBeNull();
      expect((await other.org.access.listShareLinks({ sessionId, limit: 5 })).items).toEqual([]);
      expect(await other.org.access.revokeShareLink({ sessionId, id: result.id, audit })).toBeNull();
      const link = { id: newId("shareLink"), sessionId, tokenHash: "y", createdBy: "usr_1", expiresAt: 9e15 };
      expect(await refusal(other.org.access.createShareLink({ ...link, audit }))).toBe("session_not_found");
      const stranger = here.store.session(other.orgId, sessionId);
      expect(await refusal(stranger.accept({ inputs: [], visibility: "org" }))).toBe("session_not_found");
      expect((await other.org.listSessions({ limit: 5, visibleTo: "usr_1" })).items).toEqual([]);
      await other.store.system.access.noteShareLinkUses([
        { orgId: other.orgId, id: result.id, at: 1, count: 1 },
      ]);
      expect(await here.store.system.access.findShareLinkByToken(tokenHash)).toEqual(result);
      expect((await here.org.findSession(sessionId))?.visibility).toBe("private");
    });
  });
}

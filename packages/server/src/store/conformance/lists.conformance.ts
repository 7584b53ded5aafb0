import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { SessionFilter } from "../store.ts";
import { type OpenStore, type Scene, useStore } from "./scene.conformance.ts";

async function allPages(
  here: Scene,
  filter: Omit<SessionFilter, "limit" | "after">,
  limit: number,
): Promise<string[]> {
  const found: string[] = [];
  let after: string | null = null;
  do {
    const page = await here.org.listSessions({ ...filter, limit, ...(after !== null && { after }) });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    found.push(...page.items.map(({ id }) => id));
    expect(new Set(found).size).toBe(found.length);
    after = page.next;
  } while (after !== null);
  return found;
}

export function listsConformance(open: OpenStore): void {
  describe("list of sessions", () => {
    const scene = useStore(open);

    it("is newest first by id, in pages that neither repeat nor leave out", async () => {
      const here = scene();
      const created: string[] = [];
      for (let i = 0; i < 7; i++) created.push((await here.create()).id);
      const expected = created.toSorted().toReversed();
      for (const limit of [1, 3, 7, 10]) expect(await allPages(here, {}, limit)).toEqual(expected);
      const page = await here.org.listSessions({ limit: 7 });
      expect(page.next).toBeNull();
    });

    it("does not move under who pages through it", async () => {
      const here = scene();
      const ids = [];
      for (let i = 0; i < 4; i++) ids.push((await here.create()).id);
      const sorted = ids.toSorted().toReversed();
      const first = await here.org.listSessions({ limit: 2 });
      for (const laterMs of [60_000, 120_000])
        await here.create({ id: newId("session", Date.now() + laterMs) });
      await here.org.deleteSession(sorted[1] ?? "");
      const second = await here.org.listSessions({ limit: 2, after: first.next ?? "" });
      expect(second.items.map(({ id }) => id)).toEqual(sorted.slice(2));
    });

    it("filters by owner, agent, key, metadata and text, and by several at once", async () => {
      const here = scene();
      const agent = { id: "agt_2", version: 3, name: "other" };
      const a = await here.create({
        owner: "usr_2",
        title: "Fix the Straße",
        metadata: { team: "x", 'q"uo.te': "1" },
      });
      const b = await here.create({ owner: "usr_2", key: "user:ÄRGER%_1", agent });
      const c = await here.create({ title: "fix 100% of it", metadata: { team: "x" }, agent });
      const find = (filter: Omit<SessionFilter, "limit">) =>
        allPages(here, filter, 2).then((ids) => ids.toSorted());
      const ids = (...records: { id: string }[]) => records.map(({ id }) => id).toSorted();
      expect(await find({ owner: "usr_2" })).toEqual(ids(a, b));
      expect(await find({ agentId: "agt_2" })).toEqual(ids(b, c));
      expect(await find({ key: "user:ÄRGER%_1" })).toEqual(ids(b));
      expect(await find({ metadata: { team: "x" } })).toEqual(ids(a, c));
      expect(await find({ metadata: { team: "x", 'q"uo.te': "1" } })).toEqual(ids(a));
      expect(await find({ metadata: { team: "X" } })).toEqual([]);
      expect(await find({ search: "FIX" })).toEqual(ids(a, c));
      expect(await find({ search: "straße" })).toEqual(ids(a));
      expect(await find({ search: "ärger%_" })).toEqual(ids(b));
      expect(await find({ search: "%" })).toEqual(ids(b, c));
      expect(await find({ search: "fix", agentId: "agt_2" })).toEqual(ids(c));
      expect(await find({ owner: "usr_2", agentId: "agt_2", search: "nothing" })).toEqual([]);
    });

    it("leaves archived ones out unless asked for them", async () => {
      const here = scene();
      const idle = await here.create();
      const running = await here.create({ status: "running" });
      const archived = await here.held(1);
      await archived.append(1, { projection: { session: { status: "archived" } } });
      const find = (filter: Omit<SessionFilter, "limit">) =>
        allPages(here, filter, 1).then((ids) => ids.toSorted());
      expect(await find({})).toEqual([idle.id, running.id].toSorted());
      expect(await find({ archived: true })).toEqual([archived.sessionId]);
      expect(await find({ status: "archived" })).toEqual([archived.sessionId]);
      expect(await find({ status: "archived", archived: false })).toEqual([]);
      expect(await find({ status: "running" })).toEqual([running.id]);
      expect(await find({ status: "idle", owner: "usr_1" })).toEqual([idle.id]);
      await archived.append(1, { projection: { session: { status: "idle" } } });
      expect(await find({ status: "idle" })).toEqual([idle.id, archived.sessionId].toSorted());
    });

    it("counts by status, as it changes", async () => {
      const here = scene();
      await here.create();
      await here.create({ status: "archived" });
      const session = await here.held(1);
      const counts = { idle: 0, running: 0, waiting: 0, archived: 0, quarantined: 0 };
      expect(await here.org.countSessions()).toEqual({ ...counts, idle: 2, archived: 1 });
      await session.append(1, { projection: { session: { status: "waiting" } } });
      expect(await here.org.countSessions()).toEqual({ ...counts, idle: 1, archived: 1, waiting: 1 });
      await here.store.system.quarantine(session.ref);
      expect(await here.org.countSessions()).toEqual({ ...counts, idle: 1, archived: 1, quarantined: 1 });
    });
  });
}

import { describe, expect, it } from "vitest";
import { newId } from "../../lib/id.ts";
import type { ExportRecord } from "../data.ts";
import { entry } from "./identity-scene.conformance.ts";
import { type OpenStore, refusal, type Scene, useStore } from "./scene.conformance.ts";

const day = 24 * 3_600_000;

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
      const counted = new Map<string, number>();
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
        counted.set(part, found.length);
      }
      expect(counted.get("sessions")).toBe(made.length);
      const own = here.org.data.exportParts({ scope: "user", conversations: false });
      expect(own).not.toContain("sessions");
      expect(own).not.toContain("agents");
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

import { describe, expect, it } from "vitest";
import { type OpenStore, useStore } from "./scene.conformance.ts";

const dayMs = 86_400_000;
const hash = (digit: string) => digit.repeat(64);

export function systemConformance(open: OpenStore): void {
  describe("system", () => {
    const scene = useStore(open);

    it("answers a ping", async () => {
      await expect(scene().store.system.ping()).resolves.toBeUndefined();
    });

    it("has one tenant of mode single, made once", async () => {
      const { system } = scene().store;
      const [one, two] = await Promise.all([system.singleTenant(), system.singleTenant()]);
      expect(one).toEqual(two);
      expect(await system.singleTenant()).toEqual(one);
      expect(one.orgId).toMatch(/^org_/);
      expect(one.userId).toMatch(/^usr_/);
    });

    it("collects blobs that nothing has referred to for the given time", async () => {
      const here = scene();
      const { system } = here.store;
      const { orgId } = here;
      const note = (digit: string) => system.noteBlob({ orgId, hash: hash(digit), size: 1 });
      const collect = async (limit = 100) => {
        const found = await system.collectBlobs({ ageMs: dayMs, limit });
        return found.filter((blob) => blob.orgId === orgId).map((blob) => blob.hash);
      };
      for (const digit of ["a", "b", "c"]) await note(digit);
      const session = await here.held(1);
      await session.append(1, { blobs: [hash("a"), hash("a")] });
      await here.clock.advance(dayMs - 1);
      await note("b");
      expect(await collect()).toEqual([]);
      await here.clock.advance(1);
      expect(await collect()).toEqual([hash("c")]);
      expect(await system.hasBlob({ orgId, hash: hash("c") })).toBe(false);
      expect(await system.hasBlob({ orgId, hash: hash("b") })).toBe(true);
      await here.clock.advance(dayMs);
      expect(await collect()).toEqual([hash("b")]);
      await here.clock.advance(dayMs);
      expect(await collect()).toEqual([]);
    });

    it("keeps a blob whose reference was there before its note, and one that a session was created with", async () => {
      const here = scene();
      const { orgId } = here;
      await here.create({}, { blobs: [hash("d"), hash("e")] });
      await here.store.system.noteBlob({ orgId, hash: hash("d"), size: 1 });
      await here.clock.advance(dayMs);
      expect(await here.store.system.collectBlobs({ ageMs: dayMs, limit: 10 })).not.toContainEqual({
        orgId,
        hash: hash("d"),
      });
    });

    it("collects a few at a time, the oldest first", async () => {
      const here = scene();
      const { system } = here.store;
      await system.collectBlobs({ ageMs: 0, limit: 1_000 });
      for (const digit of ["3", "1", "2"]) {
        await system.noteBlob({ orgId: here.orgId, hash: hash(digit), size: 1 });
        await here.clock.advance(1);
      }
      const one = async () => (await system.collectBlobs({ ageMs: 0, limit: 1 })).map((blob) => blob.hash);
      expect([await one(), await one(), await one(), await one()]).toEqual([
        [hash("3")],
        [hash("1")],
        [hash("2")],
        [],
      ]);
    });
  });
}

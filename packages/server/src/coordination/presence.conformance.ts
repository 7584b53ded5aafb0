import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Presence } from "./presence.ts";

export interface PresenceHarness {
  readonly here: Presence;
  /** The same presence as another process sees it; the same object where there is one process only. */
  readonly there: Presence;
  /** Lets time pass, in milliseconds. */
  passTime(ms: number): Promise<void>;
  /** Ends both. */
  close(): Promise<void>;
}

/** What every presence must do. The harness is made anew, and empty, for each test. */
export function presenceConformance(name: string, create: () => Promise<PresenceHarness>): void {
  describe(`presence: ${name}`, () => {
    let presence: PresenceHarness;
    beforeEach(async () => {
      presence = await create();
    });
    afterEach(() => presence.close());

    const list = async (group: string) =>
      (await presence.there.list(group)).toSorted((a, b) => a.id.localeCompare(b.id));

    it("lists who announced itself in a group, with its newest data", async () => {
      await presence.here.announce("workers", "w1", { live: 1 }, 1_000);
      await presence.here.announce("workers", "w2", { live: 2 }, 1_000);
      await presence.here.announce("gateways", "g1", null, 1_000);
      await presence.here.announce("workers", "w1", { live: 3 }, 1_000);
      expect(await list("workers")).toEqual([
        { id: "w1", data: { live: 3 } },
        { id: "w2", data: { live: 2 } },
      ]);
      expect(await list("gateways")).toEqual([{ id: "g1", data: null }]);
      expect(await list("nobody")).toEqual([]);
    });

    it("forgets who does not renew, and keeps who does", async () => {
      await presence.here.announce("workers", "silent", 1, 500);
      await presence.here.announce("workers", "alive", 1, 500);
      await presence.passTime(300);
      expect(await list("workers")).toHaveLength(2);
      await presence.here.announce("workers", "alive", 2, 500);
      await presence.passTime(300);
      expect(await list("workers")).toEqual([{ id: "alive", data: 2 }]);
    });

    it("forgets at once who leaves", async () => {
      await presence.here.announce("workers", "w1", 1, 1_000);
      await presence.here.announce("workers", "w2", 2, 1_000);
      await presence.here.leave("workers", "w1");
      await presence.here.leave("workers", "never-there");
      expect(await list("workers")).toEqual([{ id: "w2", data: 2 }]);
    });
  });
}

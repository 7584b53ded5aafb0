import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Queue, WakeUp } from "./queue.ts";

export interface QueueHarness {
  readonly here: Queue;
  /** The same queue as another process sees it; the same object where there is one process only. */
  readonly there: Queue;
  /** Ends both. */
  close(): Promise<void>;
}

const patient = new AbortController().signal;

/** What every queue must do. The harness is made anew, and empty, for each test. */
export function queueConformance(name: string, create: () => Promise<QueueHarness>): void {
  describe(`queue: ${name}`, () => {
    let queue: QueueHarness;
    beforeEach(async () => {
      queue = await create();
    });
    afterEach(() => queue.close());

    const push = (orgId: string, ...sessionIds: string[]) =>
      Promise.all(sessionIds.map((sessionId) => queue.here.push({ orgId, sessionId })));
    const take = async (from = queue.there) => text(await from.take(patient));
    const text = (wakeUp: WakeUp | null) => wakeUp && `${wakeUp.orgId}/${wakeUp.sessionId}`;
    async function takeAll() {
      const taken: (string | null)[] = [];
      for (let size = await queue.there.size(); size > 0; size--) taken.push(await take());
      return taken;
    }

    it("gives an organization's wake-ups in the order of their coming", async () => {
      for (const id of ["1", "2", "3"]) await push("a", id);
      expect(await queue.there.size()).toBe(3);
      expect(await takeAll()).toEqual(["a/1", "a/2", "a/3"]);
      expect(await queue.here.size()).toBe(0);
    });

    it("goes round the organizations that wait, whatever one of them has piled up", async () => {
      for (const id of ["1", "2", "3", "4", "5"]) await push("noisy", id);
      for (const id of ["1", "2"]) await push("quiet", id);
      await push("late", "1");
      expect(await takeAll()).toEqual([
        "noisy/1",
        "quiet/1",
        "late/1",
        "noisy/2",
        "quiet/2",
        "noisy/3",
        "noisy/4",
        "noisy/5",
      ]);
    });

    it("puts an organization that comes back behind those that wait", async () => {
      await push("a", "1");
      await push("b", "1");
      expect(await take()).toBe("a/1");
      await push("a", "2");
      await push("b", "2");
      expect(await takeAll()).toEqual(["b/1", "a/2", "b/2"]);
    });

    it("merges doubles that wait, within their organization", async () => {
      for (const id of ["1", "2", "1", "1"]) await push("a", id);
      await push("b", "1");
      expect(await queue.here.size()).toBe(3);
      expect(await takeAll()).toEqual(["a/1", "b/1", "a/2"]);
    });

    it("keeps a wake-up that comes after its double was taken", async () => {
      await push("a", "1");
      expect(await take()).toBe("a/1");
      await push("a", "1");
      expect(await take()).toBe("a/1");
    });

    it("lets the owners of an organization take turns", async () => {
      const pushOf = (owner: string, sessionId: string) => queue.here.push({ orgId: "a", sessionId, owner });
      for (const id of ["1", "2", "3"]) await pushOf("ada", id);
      for (const id of ["4", "5"]) await pushOf("ben", id);
      expect(await takeAll()).toEqual(["a/1", "a/4", "a/2", "a/5", "a/3"]);
    });

    it("leaves organizations waiting that a taker does without", async () => {
      await push("full", "1", "2");
      await push("a", "1");
      const without = new Set(["full"]);
      expect(text(await queue.there.take(patient, { without }))).toBe("a/1");
      const abort = new AbortController();
      const waiting = queue.there.take(abort.signal, { without });
      await push("full", "3");
      await push("b", "1");
      expect(text(await waiting)).toBe("b/1");
      expect(await takeAll()).toEqual(["full/1", "full/2", "full/3"]);
      const again = queue.there.take(abort.signal, { without });
      abort.abort();
      expect(await again).toBeNull();
    });

    it("gives urgent wake-ups first, whoever is done without, and each session's once", async () => {
      await push("a", "1");
      await push("full", "1", "2");
      await queue.here.push({ orgId: "full", sessionId: "2", urgent: true });
      await push("full", "2");
      expect(await queue.here.size()).toBe(3);
      const without = new Set(["full"]);
      expect(text(await queue.there.take(patient, { without }))).toBe("full/2");
      expect(text(await queue.there.take(patient, { without }))).toBe("a/1");
      const waiting = queue.there.take(patient, { without });
      await queue.here.push({ orgId: "full", sessionId: "3", urgent: true });
      expect(text(await waiting)).toBe("full/3");
      expect(await takeAll()).toEqual(["full/1"]);
    });

    it("wakes a taker that waits, also one elsewhere", async () => {
      const taken = take(queue.there);
      await push("a", "1");
      expect(await taken).toBe("a/1");
      expect(await queue.here.size()).toBe(0);
    });

    it("gives each wake-up to one taker", async () => {
      const takers = Array.from({ length: 10 }, (_, i) => take(i % 2 === 0 ? queue.here : queue.there));
      const ids = takers.map((_, i) => `${i}`);
      await push("a", ...ids);
      expect(new Set(await Promise.all(takers))).toEqual(new Set(ids.map((id) => `a/${id}`)));
    });

    it("answers null to a taker whose signal aborts, and loses nothing by it", async () => {
      const abort = new AbortController();
      const taken = queue.there.take(abort.signal);
      abort.abort();
      expect(await taken).toBeNull();
      expect(await queue.there.take(abort.signal)).toBeNull();
      await push("a", "1");
      expect(await queue.there.take(abort.signal)).toBeNull();
      expect(await take()).toBe("a/1");
    });

    it("ends its takers when it is closed, and gives nothing from then on", async () => {
      const waiting = [queue.there.take(patient), queue.there.take(patient)];
      await queue.there.close();
      expect(await Promise.all(waiting)).toEqual([null, null]);
      expect(await queue.there.take(patient)).toBeNull();
      await expect(queue.there.push({ orgId: "a", sessionId: "1" })).resolves.toBeUndefined();
      await expect(queue.there.close()).resolves.toBeUndefined();
    });
  });
}

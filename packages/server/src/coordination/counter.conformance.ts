import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Counter } from "./counter.ts";

export interface CounterHarness {
  readonly here: Counter;
  /** The same counter as another process sees it; the same object where there is one process only. */
  readonly there: Counter;
  /** Lets time pass, in milliseconds. */
  passTime(ms: number): Promise<void>;
  /** Ends both. */
  close(): Promise<void>;
}

/** What every counter must do. The harness is made anew, and empty, for each test. */
export function counterConformance(name: string, create: () => Promise<CounterHarness>): void {
  describe(`counter: ${name}`, () => {
    let counter: CounterHarness;
    beforeEach(async () => {
      counter = await create();
    });
    afterEach(() => counter.close());

    tokenTests(() => counter);
    slotTests(() => counter);
  });
}

/** Ten tokens in ten minutes: slow enough that the time a test takes refills nothing. */
const bucket = { capacity: 10, perMs: 600_000 };
const oneTokenMs = bucket.perMs / bucket.capacity;

function tokenTests(counter: () => CounterHarness): void {
  const take = (tokens: number, key = "k") => counter().there.takeTokens(key, { tokens, ...bucket });

  it("begins with a full bucket and gives no more than it holds", async () => {
    expect(await take(7)).toEqual({ ok: true, remaining: 3, retryAfterMs: 0 });
    expect(await take(3)).toEqual({ ok: true, remaining: 0, retryAfterMs: 0 });
    expect(await take(1)).toMatchObject({ ok: false, remaining: 0 });
    expect(await take(10, "another")).toMatchObject({ ok: true });
  });

  it("takes nothing when it refuses", async () => {
    await take(8);
    expect(await take(3)).toMatchObject({ ok: false, remaining: 2 });
    expect(await take(2)).toMatchObject({ ok: true });
  });

  it("has the tokens when the time is over that it said", async () => {
    await take(10);
    const { ok, retryAfterMs } = await take(3);
    expect(ok).toBe(false);
    expect(retryAfterMs).toBeGreaterThan(2.9 * oneTokenMs);
    expect(retryAfterMs).toBeLessThanOrEqual(3 * oneTokenMs);
    await counter().passTime(retryAfterMs);
    expect(await take(3)).toMatchObject({ ok: true, remaining: 0 });
  });

  it("refills evenly and never above its capacity", async () => {
    await take(10);
    await counter().passTime(2.5 * oneTokenMs);
    expect(await take(0)).toMatchObject({ ok: true, remaining: 2 });
    await counter().passTime(100 * oneTokenMs);
    expect(await take(0)).toMatchObject({ remaining: 10 });
    expect(await take(10)).toMatchObject({ ok: true, remaining: 0 });
  });

  it("gives each token once to callers who ask together", async () => {
    const taken = await Promise.all(
      Array.from({ length: 25 }, (_, i) =>
        (i % 2 ? counter().here : counter().there).takeTokens("k", { tokens: 1, ...bucket }),
      ),
    );
    expect(taken.filter(({ ok }) => ok)).toHaveLength(10);
  });

  it("refuses what no bucket of that size can ever give", async () => {
    await expect(take(11)).rejects.toMatchObject({ code: "too_many_tokens" });
  });
}

function slotTests(counter: () => CounterHarness): void {
  const lease = { slots: 2, leaseMs: 500 };
  const take = (holder: string, on = counter().there) => on.takeSlot("k", holder, lease);

  it("gives as many slots as there are", async () => {
    expect(await take("a")).toBe(true);
    expect(await take("b", counter().here)).toBe(true);
    expect(await take("c")).toBe(false);
    expect(await counter().here.slotsTaken("k")).toBe(2);
    expect(await counter().here.takeSlot("another", "c", lease)).toBe(true);
  });

  it("never gives more to callers who ask together", async () => {
    const holders = Array.from({ length: 20 }, (_, i) =>
      take(`h${i}`, i % 2 ? counter().here : counter().there),
    );
    expect((await Promise.all(holders)).filter(Boolean)).toHaveLength(2);
  });

  it("gives a freed slot to the next", async () => {
    await take("a");
    await take("b");
    await counter().here.freeSlot("k", "a");
    await counter().here.freeSlot("k", "never-held");
    expect(await counter().there.slotsTaken("k")).toBe(1);
    expect(await take("c")).toBe(true);
    expect(await take("a")).toBe(false);
  });

  it("frees what is not renewed, so that a crash holds nothing for ever", async () => {
    await take("crashed");
    await take("alive");
    await counter().passTime(300);
    expect(await take("alive")).toBe(true);
    expect(await counter().there.slotsTaken("k")).toBe(2);
    await counter().passTime(300);
    expect(await counter().there.slotsTaken("k")).toBe(1);
    expect(await take("next")).toBe(true);
    expect(await take("one-more")).toBe(false);
  });

  it("renews for a holder also when the number of slots has shrunk", async () => {
    await take("a");
    await take("b");
    expect(await counter().there.takeSlot("k", "a", { slots: 1, leaseMs: 500 })).toBe(true);
    expect(await counter().there.takeSlot("k", "c", { slots: 1, leaseMs: 500 })).toBe(false);
  });
}

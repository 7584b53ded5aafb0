import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Bus } from "./bus.ts";

export interface BusHarness {
  readonly here: Bus;
  /** The same bus as another process sees it; the same object where there is one process only. */
  readonly there: Bus;
  /** What subscribers and answerers threw so far. */
  readonly errors: readonly unknown[];
  /** Lets time pass for the timeouts of `ask`, in milliseconds. */
  passTime(ms: number): Promise<void>;
  /** Ends both. */
  close(): Promise<void>;
}

const longMs = 60_000;

/** What every bus must do. The harness is made anew for each test. */
export function busConformance(name: string, create: () => Promise<BusHarness>): void {
  describe(`bus: ${name}`, () => {
    let bus: BusHarness;
    beforeEach(async () => {
      bus = await create();
    });
    afterEach(() => bus.close());

    async function listen(topic: string, on = bus.there) {
      const frames: unknown[] = [];
      const stop = await on.subscribe(topic, (frame) => frames.push(frame));
      return { frames, stop };
    }

    frameTests(() => bus, listen);
    questionTests(() => bus);

    it("gives up what is asked when it is closed, and takes nobody new", async () => {
      await bus.there.answer("t", () => new Promise(() => {}));
      const asked = bus.here.ask("t", 1, longMs);
      await bus.here.close();
      expect(await asked).toBeNull();
      await expect(bus.here.subscribe("t", () => {})).rejects.toMatchObject({
        code: "bus_closed",
        retryable: true,
      });
      await expect(bus.here.answer("t", () => 1)).rejects.toMatchObject({ code: "bus_closed" });
      expect(await bus.here.ask("t", 1, longMs)).toBeNull();
      expect(() => bus.here.publish("t", 1)).not.toThrow();
      await expect(bus.here.close()).resolves.toBeUndefined();
    });
  });
}

type Listen = (topic: string, on?: Bus) => Promise<{ frames: unknown[]; stop: () => void }>;

function frameTests(bus: () => BusHarness, listen: Listen): void {
  it("brings each frame to every subscriber of its topic, in order", async () => {
    const first = await listen("t", bus().here);
    const second = await listen("t", bus().there);
    const other = await listen("u");
    for (const n of [1, 2, 3]) bus().here.publish("t", { n });
    await expect
      .poll(() => [first.frames, second.frames])
      .toEqual(Array.from({ length: 2 }, () => [{ n: 1 }, { n: 2 }, { n: 3 }]));
    expect(other.frames).toEqual([]);
  });

  it("brings nothing to who has stopped, and all to the one that stays", async () => {
    const gone = await listen("t");
    const stays = await listen("t");
    gone.stop();
    gone.stop();
    bus().here.publish("t", 1);
    await expect.poll(() => stays.frames).toEqual([1]);
    expect(gone.frames).toEqual([]);
  });

  it("treats one function that subscribes twice as two subscribers", async () => {
    const frames: unknown[] = [];
    const call = (frame: unknown) => void frames.push(frame);
    const stopFirst = await bus().there.subscribe("t", call);
    await bus().there.subscribe("t", call);
    stopFirst();
    bus().here.publish("t", 1);
    await expect.poll(() => frames).toEqual([1]);
  });

  it("does not let a subscriber that throws hurt the others or the publisher", async () => {
    const wrong = new Error("subscriber");
    const wrongLater = new Error("async subscriber");
    await bus().there.subscribe("t", () => {
      throw wrong;
    });
    await bus().there.subscribe("t", async () => {
      throw wrongLater;
    });
    const { frames } = await listen("t");
    expect(() => bus().here.publish("t", 1)).not.toThrow();
    await expect.poll(() => frames).toEqual([1]);
    await expect.poll(() => bus().errors).toEqual([wrong, wrongLater]);
  });

  it("publishes to nobody without a word", () => {
    expect(() => bus().here.publish("nobody", 1)).not.toThrow();
  });
}

function questionTests(bus: () => BusHarness): void {
  it("brings a question to who answers, and the answer back", async () => {
    await bus().there.answer("t", (question) => ({ got: question }));
    await bus().there.answer("u", () => "other");
    expect(await bus().here.ask("t", { n: 1 }, longMs)).toEqual({ got: { n: 1 } });
  });

  it("waits for an answer that takes its time", async () => {
    let answer: (value: unknown) => void = () => {};
    await bus().there.answer("t", () => new Promise((resolve) => (answer = resolve)));
    const asked = bus().here.ask("t", 1, longMs);
    await bus().passTime(10);
    answer("late");
    expect(await asked).toBe("late");
  });

  it("answers null when nobody does in time", async () => {
    await bus().there.answer("t", () => new Promise(() => {}));
    const asked = bus().here.ask("t", 1, 50);
    await bus().passTime(50);
    expect(await asked).toBeNull();
    const unheard = bus().here.ask("nobody", 1, 50);
    await bus().passTime(50);
    expect(await unheard).toBeNull();
  });

  it("takes the first answer that comes, and waits for no other", async () => {
    await bus().there.answer("t", () => new Promise(() => {}));
    await bus().there.answer("t", () => undefined);
    await bus().there.answer("t", () => null);
    await bus().there.answer("t", () => {
      throw new Error("answerer");
    });
    await bus().here.answer("t", () => "mine");
    expect(await bus().here.ask("t", 1, longMs)).toBe("mine");
    await expect.poll(() => bus().errors).toMatchObject([{ message: "answerer" }]);
  });

  it("does not ask who has stopped", async () => {
    const stop = await bus().there.answer("t", () => "gone");
    stop();
    const asked = bus().here.ask("t", 1, 50);
    await bus().passTime(50);
    expect(await asked).toBeNull();
  });
}

import { describe, expect, it } from "vitest";
import { once } from "../../../test/support/follow/calls.ts";
import { follow } from "../../../test/support/follow/reader.ts";
import { beginScene as begin, type FollowScene } from "../../../test/support/follow/scene.ts";
import { keyOf, newBlock } from "../../../test/support/follow/writer.ts";

const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, i) => from + i);

describe("Follower", () => {
  it("reads the backlog in pages, cuts over and goes live", async () => {
    const scene = begin(7, { pageEvents: 3 });
    const reader = await follow(scene);
    expect(reader.follower?.phase).toBe("backfill");
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(7));
    expect(reader.follower?.phase).toBe("live");
    scene.append("run.started");
    expect(reader.seqs).toEqual(upTo(8));
  });

  it("begins after the cursor", async () => {
    const scene = begin(5);
    const reader = await follow(scene, { after: "1.3" });
    await scene.settle();
    expect(reader.seqs).toEqual([4, 5]);
  });

  // What happens between the parts of cutting over: the event is 4, the reader must end with 1 to 5 in order.
  const races: readonly [name: string, arrange: (scene: FollowScene) => void][] = [
    [
      "committed and published between subscribing and the read",
      (s) => (s.reads.before = once(() => s.append("error"))),
    ],
    [
      "committed between subscribing and the read, its frame lost",
      (s) => (s.reads.before = once(() => s.commit("error"))),
    ],
    [
      "committed and published between the read and the cut-over",
      (s) => (s.reads.after = once(() => s.append("error"))),
    ],
    [
      "committed before the read, its frame after it",
      (s) => {
        const late = s.commit("error");
        s.reads.after = once(() => s.publish(late));
      },
    ],
    [
      "its frame doubled between the read and the cut-over",
      (s) => {
        s.reads.after = once(() => {
          const event = s.append("error");
          s.publish(event, event);
        });
      },
    ],
  ];
  it.each(races)("loses and repeats nothing when an event is %s", async (_name, arrange) => {
    const scene = begin(3);
    arrange(scene);
    const reader = await follow(scene);
    await scene.settle();
    while (scene.log.length < 5) scene.append("error");
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(5));
    expect(reader.follower?.phase).toBe("live");
    expect(scene.reads.count).toBe(1);
  });

  it("finds at cut-over that a frame was lost on the way", async () => {
    const scene = begin(3);
    scene.reads.after = once(() => {
      scene.commit("error");
      scene.append("error");
    });
    const reader = await follow(scene);
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(5));
    expect(scene.reads.count).toBe(2);
  });

  it("reads on when more came during the read than is kept", async () => {
    const scene = begin(3);
    scene.reads.after = once(() => {
      for (let i = 0; i < 1_001; i++) scene.append("error");
    });
    const reader = await follow(scene);
    await scene.clock.advance(0);
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(1_004));
  });

  const frames: readonly [name: string, tell: (scene: FollowScene) => void, reads: number][] = [
    ["lost, with a later one that shows the gap", (s) => (s.commit("error"), s.append("error")), 1],
    ["doubled", (s) => s.publish(...twice(s.append("error")), s.append("error")), 0],
    [
      "in the wrong order",
      (s) => {
        const [first, second] = [s.commit("error"), s.commit("error")];
        s.publish(second);
        s.publish(first);
      },
      1,
    ],
    [
      "late, after they were read",
      (s) => {
        const [first, second] = [s.commit("error"), s.commit("error")];
        s.publish(second);
        s.publish(first, second);
      },
      1,
    ],
  ];
  it.each(frames)("is right when live frames come %s", async (_name, tell, reads) => {
    const scene = begin(3);
    const reader = await follow(scene);
    await scene.settle();
    const before = scene.reads.count;
    tell(scene);
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(5));
    expect(scene.reads.count - before).toBe(reads);
  });

  it("finds by a slow tick what the bus lost altogether", async () => {
    const scene = begin(1);
    const reader = await follow(scene);
    await scene.settle();
    scene.commit("error");
    await scene.clock.advance(1_999);
    expect(reader.seqs).toEqual([1]);
    await scene.clock.advance(1);
    expect(reader.seqs).toEqual([1, 2]);
  });

  it("does not read the log at a tick that finds nothing new", async () => {
    const scene = begin(1);
    await follow(scene);
    await scene.settle();
    await scene.clock.advance(20_000);
    expect(scene.reads.count).toBe(1);
  });

  it("goes on when the store answers again", async () => {
    const scene = begin(3);
    scene.reads.fail = true;
    const reader = await follow(scene);
    await scene.settle();
    expect(reader.got).toEqual([]);
    scene.reads.fail = false;
    await scene.clock.advance(2_000);
    expect(reader.seqs).toEqual(upTo(3));
    expect(scene.errors).toHaveLength(1);
  });

  it("ends when the session is deleted", async () => {
    const scene = begin(2);
    const reader = await follow(scene);
    await scene.settle();
    scene.row.deleted = true;
    await scene.clock.advance(2_000);
    expect(reader.got).toEqual(["1", "2", "end session_not_found"]);
    expect(scene.following.size).toBe(0);
  });

  it("ends when the session was restored from a backup", async () => {
    const scene = begin(2);
    const reader = await follow(scene);
    await scene.settle();
    scene.row.generation = 2;
    await scene.clock.advance(2_000);
    expect(reader.got.at(-1)).toBe("end cursor_invalid");
  });

  it("keeps nothing of a client that is gone, at any moment", async () => {
    const scene = begin(2);
    const [early, late] = [await follow(scene), await follow(scene)];
    early.disconnect();
    await scene.settle();
    late.disconnect();
    scene.append("error");
    await scene.clock.advance(10_000);
    expect(early.got).toEqual([]);
    expect(late.seqs).toEqual([1, 2]);
    expect(scene.following.size).toBe(0);
    expect(scene.clock.timers()).toBe(0);
  });

  it("shares the subscription, the ticks, the reads and the events among the followers of a session", async () => {
    const scene = begin(2);
    const readers = await Promise.all(Array.from({ length: 50 }, () => follow(scene)));
    const entries = new Set<object>();
    for (const reader of readers) {
      const entry = reader.entry.bind(reader);
      reader.entry = (one) => (entries.add(one), entry(one));
    }
    await scene.settle();
    const finds = scene.finds.count;
    scene.append("error");
    await scene.clock.advance(2_000);
    for (const reader of readers) expect(reader.seqs).toEqual(upTo(3));
    expect({ reads: scene.reads.count, ticks: scene.finds.count - finds, objects: entries.size }).toEqual({
      reads: 1,
      ticks: 1,
      objects: 3,
    });
  });
});

describe("Follower of a slow client", () => {
  it("gets no more than its buffer holds and goes on from the store when it has taken it", async () => {
    const scene = begin(1, { maxUnsent: 100 });
    const reader = await follow(scene);
    await scene.settle();
    scene.append("error");
    reader.unsent = 100;
    scene.append("error");
    scene.append("error");
    expect(reader.follower?.phase).toBe("backfill");
    await scene.clock.advance(10_000);
    expect(reader.seqs).toEqual([1, 2]);
    expect(reader.asksForDrain).toBe(1);
    reader.drain();
    await scene.settle();
    expect(reader.seqs).toEqual(upTo(4));
    expect(reader.follower?.phase).toBe("live");
  });

  it("is sent the rest of a text that went on meanwhile", async () => {
    const scene = begin(0, { maxUnsent: 100 });
    const reader = await follow(scene);
    const one = newBlock("one");
    await scene.settle();
    scene.writer.write(one, "begin, ");
    reader.unsent = 100;
    scene.writer.write(one, "middle, ");
    scene.writer.write(one, "end");
    expect(reader.text(keyOf(one))).toBe("begin, ");
    reader.drain();
    await scene.settle();
    expect(reader.got).toEqual(["msg_one/0@1+0", "msg_one/0@1+7"]);
    expect(reader.text(keyOf(one))).toBe("begin, middle, end");
  });

  it("reads a long backlog no faster than it takes it", async () => {
    const scene = begin(100, { maxUnsent: 10, pageEvents: 10 });
    const reader = await follow(scene);
    const entry = reader.entry.bind(reader);
    reader.entry = (one) => ((reader.unsent += 1), entry(one));
    for (let taken = 10; taken <= 100; taken += 10) {
      await scene.settle();
      expect(reader.seqs).toEqual(upTo(taken));
      reader.drain();
    }
    await scene.settle();
    expect(reader.follower?.phase).toBe("live");
  });

  it("does not hold up others of the same session", async () => {
    const scene = begin(0, { maxUnsent: 100 });
    const [slow, quick] = [await follow(scene), await follow(scene)];
    await scene.settle();
    slow.unsent = 100;
    for (let i = 0; i < 5; i++) scene.append("error");
    expect(slow.seqs).toEqual([]);
    expect(quick.seqs).toEqual(upTo(5));
  });
});

function twice<T>(one: T): [T, T] {
  return [one, one];
}

import { describe, expect, it } from "vitest";
import { lose, once } from "../../../test/support/follow/calls.ts";
import { follow } from "../../../test/support/follow/reader.ts";
import { beginScene as begin } from "../../../test/support/follow/scene.ts";
import { keyOf, newBlock } from "../../../test/support/follow/writer.ts";

describe("live text", () => {
  const first = newBlock("one");
  const second = newBlock("two", "researcher-1");

  it("comes whole to who joins in mid-block, and goes on from there", async () => {
    const scene = begin(1);
    scene.writer.write(first, "Hello, ");
    const reader = await follow(scene);
    await scene.settle();
    scene.writer.write(first, "world");
    expect(reader.got).toEqual(["1", "msg_one/0@1+0", "msg_one/0@1+7"]);
    expect(reader.text(keyOf(first))).toBe("Hello, world");
    scene.finish(first);
    expect(reader.got.at(-1)).toBe("2");
  });

  it("of two sub-agents at once is kept apart", async () => {
    const scene = begin(0);
    scene.writer.write(first, "a");
    const reader = await follow(scene);
    await scene.settle();
    for (const piece of ["b", "c"]) {
      scene.writer.write(second, piece.toUpperCase());
      scene.writer.write(first, piece);
    }
    expect(reader.text(keyOf(first))).toBe("abc");
    expect(reader.text(keyOf(second))).toBe("BC");
    expect(reader.wrong).toEqual([]);
  });

  it("waits after a hole for the text so far", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    scene.writer.write(first, "one ");
    lose(scene, () => scene.writer.write(first, "two "));
    await scene.clock.advance(100);
    scene.writer.write(first, "three ");
    scene.writer.write(first, "four");
    expect(reader.text(keyOf(first))).toBe("one ");
    await scene.settle();
    expect(reader.text(keyOf(first))).toBe("one two three four");
    expect(reader.wrong).toEqual([]);
  });

  it("is asked for again by the slow tick when the last delta came too soon after a question", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    scene.writer.write(first, "one ");
    lose(scene, () => scene.writer.write(first, "two "));
    scene.writer.write(first, "three");
    await scene.settle();
    expect(reader.text(keyOf(first))).toBe("one ");
    await scene.clock.advance(2_000);
    expect(reader.text(keyOf(first))).toBe("one two three");
  });

  it("is replaced by a higher attempt, and deltas of the lower one are dropped", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    let late: (() => void) | null = null;
    scene.writer.write(first, "wrong");
    scene.wire.carry = (frame, deliver) => void (late = () => deliver(frame));
    scene.writer.write(first, " way");
    scene.wire.carry = (frame, deliver) => deliver(frame);
    scene.writer.retry(first);
    scene.writer.write(first, "right");
    (late as (() => void) | null)?.();
    expect(reader.texts.get(keyOf(first))).toEqual({ attempt: 2, text: "right" });
    expect(reader.wrong).toEqual([]);
  });

  it("of another block of an earlier attempt is dropped, also when it comes late", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    const [shown, begun] = [newBlock("one", "", 1), newBlock("one", "", 2)];
    const late: (() => void)[] = [];
    scene.writer.write(shown, "wrong");
    scene.wire.carry = (frame, deliver) => void late.push(() => deliver(frame));
    scene.writer.write(shown, " way");
    scene.writer.write(begun, "too");
    scene.wire.carry = (frame, deliver) => deliver(frame);
    scene.writer.retry(first);
    scene.writer.write(first, "right");
    for (const deliver of late) deliver();
    await scene.settle();
    expect(reader.got).toEqual(["msg_one/1@1+0", "msg_one/0@2+0"]);
    expect(reader.wrong).toEqual([]);
  });

  it("of a block whose finished event was sent is dropped", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    const late: (() => void)[] = [];
    scene.wire.carry = (frame, deliver) =>
      frame.kind === "live" ? void late.push(() => deliver(frame)) : deliver(frame);
    scene.writer.write(first, "text");
    scene.finish(first);
    for (const deliver of late) deliver();
    await scene.settle();
    expect(reader.got).toEqual(["1"]);
  });

  it("of a block that its step left open is dropped once the step is over, also by who had seen it", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    const late: (() => void)[] = [];
    scene.wire.carry = (frame, deliver) => {
      deliver(frame);
      if (frame.kind === "live") late.push(() => deliver(frame));
    };
    scene.writer.write(first, "cut off in its mid");
    scene.finishStep(first);
    scene.append("run.finished");
    for (const deliver of late) deliver();
    const joined = await follow(scene, { after: "1.2" });
    await scene.settle();
    for (const deliver of late) deliver();
    expect(reader.got).toEqual(["msg_one/0@1+0", "1", "2"]);
    expect(joined.got).toEqual([]);
  });

  it("of the next run is not sent again when it came before the end of the last one", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    const late: (() => void)[] = [];
    scene.wire.carry = (frame, deliver) =>
      frame.kind === "live" ? deliver(frame) : void late.push(() => deliver(frame));
    scene.append("run.finished");
    scene.writer.write(first, "early ");
    for (const deliver of late.splice(0)) deliver();
    lose(scene, () => scene.writer.write(first, "bird "));
    await scene.clock.advance(1_000);
    scene.writer.write(first, "sings");
    await scene.settle();
    expect(reader.wrong).toEqual([]);
    expect(reader.text(keyOf(first))).toBe("early bird sings");
    expect(reader.got).toEqual(["msg_one/0@1+0", "1", "msg_one/0@1+6"]);
  });

  it("of a block that was finished some pages before the end of the log is dropped", async () => {
    const scene = begin(0, { pageEvents: 1 });
    const reader = await follow(scene);
    await scene.settle();
    const late: (() => void)[] = [];
    scene.wire.carry = (frame, deliver) => late.push(() => deliver(frame));
    scene.writer.write(first, "text");
    scene.finish(first);
    for (let more = 0; more < 3; more++) scene.append("todo.changed");
    await scene.clock.advance(2_000);
    await scene.settle();
    for (const deliver of late) deliver();
    expect(reader.got).toEqual(["1", "2", "3", "4"]);
  });

  it("is dropped while the backlog is read", async () => {
    const scene = begin(3);
    scene.reads.after = once(() => scene.writer.write(first, "early"));
    const reader = await follow(scene);
    await scene.settle();
    expect(reader.got).toEqual(["1", "2", "3", "msg_one/0@1+0"]);
    expect(reader.wrong).toEqual([]);
  });

  it("is made good by the finished event when it was lost", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    scene.writer.write(first, "begin");
    await scene.clock.advance(500);
    lose(scene, () => scene.writer.write(first, " lost"));
    scene.finish(first);
    await scene.settle();
    expect(reader.got).toEqual(["msg_one/0@1+0", "1"]);
  });

  it("comes with everything else that is live", async () => {
    const scene = begin(0);
    const reader = await follow(scene);
    await scene.settle();
    scene.writer.tell();
    expect(reader.got).toEqual(["session.status"]);
  });

  it("that an earlier attempt of the message has left over is not shown to who joins", async () => {
    const scene = begin(0);
    const rest = newBlock("one", "", 1);
    scene.writer.write(first, "first try");
    scene.writer.write(rest, "with a second block");
    scene.writer.retry(first);
    scene.writer.write(first, "second try");
    const reader = await follow(scene);
    await scene.settle();
    expect(reader.texts).toEqual(new Map([[keyOf(first), { attempt: 2, text: "second try" }]]));
  });

  it("that an answer brings too late, when the follower is behind again, is asked for anew", async () => {
    const scene = begin(1);
    scene.writer.write(first, "so far");
    let answer = () => {};
    scene.answers.wait = () => new Promise((resolve) => (answer = resolve));
    const reader = await follow(scene);
    await scene.settle();
    scene.answers.wait = null;
    scene.writer.write(first, ", on");
    scene.commit("error");
    scene.append("error");
    expect(reader.follower?.phase).toBe("backfill");
    answer();
    await scene.settle();
    expect(reader.got).toEqual(["1", "2", "3", "msg_one/0@1+0"]);
    expect(reader.text(keyOf(first))).toBe("so far, on");
  });
});

import { expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { ControlGroup } from "./control-groups.ts";
import { letGreedyGiveWay } from "./give-way.ts";

/** A group that takes as much of one processor as it is told; `said` is what it was told, in order. */
function makeGroup() {
  const said: boolean[] = [];
  let usedMs: number | null = 0;
  const group: ControlGroup = {
    add: async () => undefined,
    apply: async (limits) => limits,
    metrics: () => Promise.reject(new Error("not asked here")),
    usedMs: () => usedMs,
    giveWay: (yes) => void said.push(yes),
  };
  const take = (ms: number) => void (usedMs = (usedMs ?? 0) + ms);
  return { group, said, take, end: () => void (usedMs = null) };
}

function setUp(count: number) {
  const clock = createManualClock();
  const boxes = Array.from({ length: count }, makeGroup);
  const errors: unknown[] = [];
  const givingWay = letGreedyGiveWay({
    clock,
    groups: () => boxes.map(({ group }) => group),
    onError: (error) => errors.push(error),
  });
  /** Time goes by in looks; each takes its share of every one. */
  const pass = async (ms: number, ...shares: number[]) => {
    for (let passed = 0; passed < ms; passed += 50) {
      for (const [at, share] of shares.entries()) boxes[at]?.take(50 * share);
      await clock.advance(50);
    }
  };
  return { clock, boxes, errors, givingWay, pass };
}

it("has who takes a processor give way at the first look after its command has begun, and nobody else", async () => {
  const { boxes, givingWay, pass } = setUp(2);
  for (const { group } of boxes) givingWay.stir(group);
  await pass(50, 1, 0.2);
  expect(boxes.map(({ said }) => said)).toEqual([[true], []]);
  await pass(1_000, 1, 0.2);
  expect(boxes.map(({ said }) => said)).toEqual([[true], []]);
});

it("lets it go first again once it takes little, because it wants no more or gets no more", async () => {
  const { boxes, givingWay, pass } = setUp(1);
  givingWay.stir(boxes[0]!.group);
  await pass(500, 1);
  await pass(100, 0.1);
  expect(boxes[0]?.said).toEqual([true]);
  await pass(150, 0.1);
  expect(boxes[0]?.said).toEqual([true, false]);
});

it("takes no program for greedy that only begins", async () => {
  const { boxes, givingWay, pass } = setUp(1);
  givingWay.stir(boxes[0]!.group);
  await pass(50, 0.7);
  await pass(200, 0);
  expect(boxes[0]?.said).toEqual([]);
});

it("judges nobody by the moment between its beginning and a look that was due for another", async () => {
  const { clock, boxes, givingWay, pass } = setUp(2);
  givingWay.stir(boxes[0]!.group);
  await pass(50, 0.5, 0);
  await clock.advance(45);
  givingWay.stir(boxes[1]!.group);
  boxes[1]?.take(5);
  await clock.advance(5);
  expect(boxes[1]?.said).toEqual([]);
});

it("finds what goes on without a command within a second and a look, and rests when nothing does", async () => {
  const { clock, boxes, pass } = setUp(2);
  await pass(1_000, 0, 0);
  expect(clock.timers()).toBe(1);
  await pass(1_050, 1, 0);
  expect(boxes.map(({ said }) => said)).toEqual([[true], []]);
});

it("forgets who is gone, and begins anew with who comes", async () => {
  const { boxes, givingWay, errors, pass } = setUp(2);
  givingWay.stir(boxes[0]!.group);
  await pass(50, 1);
  boxes[0]?.end();
  boxes.shift();
  await pass(1_100, 0);
  givingWay.stir(boxes[0]!.group);
  await pass(50, 1);
  expect(boxes[0]?.said).toEqual([true]);
  expect(errors).toEqual([]);
});

it("tells once when the kernel refuses, and leaves all as they are", async () => {
  const { clock, boxes, givingWay, errors, pass } = setUp(2);
  const refused = new Error("refused");
  Object.assign(boxes[0]!.group, {
    giveWay: () => {
      throw refused;
    },
  });
  for (const { group } of boxes) givingWay.stir(group);
  await pass(500, 1, 1);
  expect(errors).toEqual([refused]);
  expect(clock.timers()).toBe(0);
  for (const { group } of boxes) givingWay.stir(group);
  expect(clock.timers()).toBe(0);
});

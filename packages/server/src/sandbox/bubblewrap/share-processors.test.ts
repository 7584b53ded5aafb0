import { expect, it } from "vitest";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import type { ControlGroup } from "./control-groups.ts";
import { shareProcessors } from "./share-processors.ts";

/** A group that uses what it is told to, and notes what it is given. */
function fakeGroup() {
  const given: number[] = [];
  let cpuMs = 0;
  const group = {
    metrics: async () => ({ cpuMs }),
    slow: async (share: number) => void given.push(share),
  } as unknown as ControlGroup;
  return { group, given, use: (ms: number) => (cpuMs += ms) };
}

it("halves all while those at work may take more than there is, and gives all back after", async () => {
  const clock = createManualClock();
  const [greedy, modest] = [fakeGroup(), fakeGroup()];
  const errors: unknown[] = [];
  const sharing = shareProcessors({
    clock,
    processors: 2,
    sharers: () => [greedy, modest].map(({ group }) => ({ group, cpus: 1 })),
    onError: (error) => errors.push(error),
  });
  const pass = async (uses: { greedy: number; modest: number }, looks = 1) => {
    for (let look = 0; look < looks; look++) {
      greedy.use(uses.greedy);
      modest.use(uses.modest);
      await clock.advance(250);
    }
  };
  await pass({ greedy: 250, modest: 0 }, 4);
  expect([greedy.given, modest.given]).toEqual([[], []]);
  await pass({ greedy: 250, modest: 10 });
  expect([greedy.given, modest.given]).toEqual([[0.5], [0.5]]);
  await pass({ greedy: 125, modest: 0 }, 4);
  expect(greedy.given.at(-1)).toBe(0.5);
  await pass({ greedy: 125, modest: 0 }, 6);
  expect([greedy.given.at(-1), modest.given.at(-1), errors]).toEqual([1, 1, []]);
  const before = greedy.given.length;
  await pass({ greedy: 250, modest: 0 }, 4);
  expect(greedy.given).toHaveLength(before);
  sharing.cancel();
});

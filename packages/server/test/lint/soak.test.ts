// What the soak holds to be growth, and what it does not: files of sessions that are there come and go by chance.
import { describe, expect, it } from "vitest";
import { countFiles } from "../../../../bench/support/soak/files.ts";
import { judge, type Sample } from "../../../../bench/support/soak/verdict.ts";

const own = ["berth.db", "berth.lock", "sandbox", "sandbox/workspaces", "workspaces", "blobs"];

/** Of one session that is there: its workspace with two files, its limits, and its sandbox's folder. */
function ofSession(i: number): readonly string[] {
  const workspace = [`workspaces/wsp_${i}`, `workspaces/wsp_${i}/a`, `workspaces/wsp_${i}/deep.d/b`];
  return [...workspace, `sandbox/workspaces/limits/wsp_${i}.json`, `sandbox/runs/x/tmp/sbx_${i}`];
}

function sampleOf(minute: number, paths: readonly string[], names: ReadonlySet<string>): Sample {
  const { rest, alive, blobs } = countFiles(paths, names);
  return {
    minute,
    heldBytes: 50e6,
    committedBytes: 60e6,
    threadBytes: 20e6,
    residentBytes: 100e6,
    contexts: 1,
    resources: {},
    openFiles: 40,
    timers: 40,
    live: 10,
    evictions: 0,
    temporary: 0,
    files: rest,
    aliveFiles: alive,
    blobs,
  };
}

/** Six samples; in each some of 24 sessions have a workspace, and `left` says what those before it left behind. */
function judged(left: (sample: number) => readonly string[]) {
  const samples = [2, 9, 4, 16, 20, 24].map((count, i) => {
    const numbers = Array.from({ length: count }, (_, n) => i * 100 + n);
    const names = new Set(numbers.flatMap((n) => [`wsp_${n}`, `sbx_${n}`]));
    return sampleOf(i + 1, [...own, ...numbers.flatMap(ofSession), ...left(i)], names);
  });
  return judge(samples, 1).filter(({ ok }) => !ok);
}

describe("the soak's verdict on files", () => {
  it("does not mind how many of the sessions that are there have some", () => {
    expect(judged(() => [])).toEqual([]);
  });

  it.each([
    ["workspaces of sessions that were deleted", (n: number) => `workspaces/wsp_gone${n}`],
    ["files beside them", (n: number) => `sandbox/record-${n}.json`],
  ])("notices one in each session: %s", (_, nameOf) => {
    const failed = judged((sample) => Array.from({ length: sample * 5 }, (_one, n) => nameOf(n)));
    expect(failed).toEqual([
      expect.objectContaining({
        what: expect.stringContaining("files in the data folder"),
        told: "8.5 to 28.5",
      }),
    ]);
  });

  it("counts blobs apart, which stay for a day", () => {
    expect(countFiles(["blobs/a", "blobs/b", "berth.db"], new Set())).toEqual({
      blobs: 2,
      alive: 0,
      rest: 1,
    });
  });
});

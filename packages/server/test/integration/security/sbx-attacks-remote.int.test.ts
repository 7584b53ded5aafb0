// The short ones of the attacks of `npm run attack` where a sandbox host makes the sandboxes and the server has no privilege at all.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { judge } from "../../attack/judge.ts";
import { rows } from "../../attack/rows/all.ts";
import type { Target } from "../../attack/target.ts";
import { openRemote } from "../../attack/targets.ts";

let target: Target;
beforeAll(async () => {
  target = await openRemote("multi");
});
afterAll(() => target.close());

const long = [
  "20 neighbours",
  "SBX-05",
  "SBX-06",
  "SBX-07",
  "SBX-11",
  "SBX-12",
  "SBX-16",
  "SBX-22",
  "SBX-23",
];

describe("a sandbox of a sandbox host", { timeout: 90_000 }, () => {
  it("isolates, or all that follows says nothing", () => {
    expect(target.caps).toMatchObject({ isolation: "namespace", network: "proxy", seccomp: true });
  });
  it.each(rows.filter(({ id }) => !long.includes(id)))("$id $name", async (row) => {
    const { verdict, seen, naive } = await judge(row, target);
    expect({ verdict, seen, proven: naive !== null }).toEqual(
      expect.objectContaining({ verdict: "held", proven: true }),
    );
  });
});
